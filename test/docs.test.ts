import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

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
