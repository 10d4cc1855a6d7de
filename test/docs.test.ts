import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { manualPages } from '../src/cli/manual.ts';
import { commandsIn, knownOptions, optionsIn, problemOf } from './support/documented-commands.ts';
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

const PAGES = ['README.md', ...globSync('{docs,examples/*}/*.md', { cwd: new URL('..', import.meta.url) })];

test('command lines in the documentation have only what the command takes', () => {
  const commands = PAGES.flatMap((page) => commandsIn(read(page), page));
  assert.ok(commands.length > 100);
  const problems = commands.flatMap(({ place, line, isMention }) => {
    const problem = problemOf(line, { isMention });
    return problem === undefined ? [] : [`${place}: phyllo ${line}: ${problem}`];
  });
  assert.deepEqual(problems, []);
});

test('options in the documentation exist', () => {
  const known = knownOptions();
  for (const page of PAGES)
    for (const option of optionsIn(read(page)))
      assert.ok(known.has(option), `${page}: no command has ${option}`);
});

test('docs/README.md names every page', () => {
  const linked = all(read('docs/README.md'), /\]\(([\w-]+\.md)\)/g);
  const pages = globSync('*.md', { cwd: new URL('../docs/', import.meta.url) }).filter(
    (page) => page !== 'README.md',
  );
  assert.deepEqual(
    pages.filter((page) => !linked.includes(page)),
    [],
  );
});

test('links between pages lead to pages and headings that are there', () => {
  for (const page of PAGES)
    for (const [, file, anchor] of read(page).matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)]*))?\)/g)) {
      const target =
        file === ''
          ? new URL(`../${page}`, import.meta.url)
          : new URL(file as string, new URL(`../${page}`, import.meta.url));
      assert.ok(existsSync(target), `${page}: ${file}`);
      if (anchor !== undefined)
        assert.ok(anchorsOf(readFileSync(target, 'utf8')).includes(anchor), `${page}: ${file}#${anchor}`);
    }
});

/** As GitHub makes them of headings. */
function anchorsOf(markdown: string): string[] {
  return all(markdown, /^#+ (.*)$/gm).map((heading) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}
