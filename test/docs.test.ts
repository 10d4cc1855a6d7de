import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { manualPages } from '../src/cli/manual.ts';
import { createProgram, examplesOf, fullName, withSubcommands } from '../src/cli/program.ts';

const read = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');
const all = (text: string, pattern: RegExp): string[] =>
  [...text.matchAll(pattern)].map(([, found]) => found as string);

test('every error code is explained, and no other', () => {
  const codes = all(read('src/errors.ts'), /\| '([A-Z_]+)'/g);
  assert.ok(codes.length > 20);
  assert.deepEqual(all(read('docs/errors.md'), /^\| `([A-Z_]+)` \|/gm), [...codes, 'BUG']);
});

test('every field of IMAGE.json is documented', () => {
  const schema = JSON.parse(read('schema/image.schema.json')) as {
    readonly properties: Record<string, unknown>;
  };
  const documented = all(
    read('docs/image-json.md').replaceAll(/^\| ([^|]*)/gm, (row) => row.replaceAll('` `', '`\n| `')),
    /^\| `(\w+)`/gm,
  );
  const fields = Object.keys(schema.properties).filter((field) => field !== '$schema');
  assert.deepEqual(
    fields.filter((field) => !documented.includes(field)),
    [],
  );
});

test('every command has examples, which help and the manual show', () => {
  const commands = withSubcommands(createProgram(new AbortController().signal)).slice(1);
  const without = commands.filter((command) => examplesOf(command).length === 0).map(fullName);
  assert.deepEqual(without, [], 'add some to src/cli/examples.ts');
});

test("package.json names the manual's pages", () => {
  const { man } = JSON.parse(read('package.json')) as { readonly man: readonly string[] };
  const pages = manualPages(createProgram(new AbortController().signal));
  assert.deepEqual(man, pages.map(({ file }) => `dist/man/${file}`).sort());
});
