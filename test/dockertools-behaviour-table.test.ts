/** test/integration/dockertools-behaviour.md names tests that are there. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

const DIRECTORY = new URL('integration/', import.meta.url);
const read = (file: string): string => readFileSync(new URL(file, DIRECTORY), 'utf8');

/** Subtests of nixpkgs that are about functions of ours. */
const NUMBERS = [
  ...[1, 2, 3, 5, 6, 7, 8, 9, 10, 12, 13, 14, 15, 17, 18, 19, 21, 22, 23, 24, 25, 26, 27, 28, 29],
  ...[30, 31, 32, 33, 34, 35, 36, 37, 38, 40, 42, 43],
];

const rows = [...read('dockertools-behaviour.md').matchAll(/^\| (\d*) ?\| .* \| `(.*)` \| (.*) \|$/gm)].map(
  ([, number = '', file = '', title = '']) => ({ number: Number(number), file, title }),
);

test('every behaviour that nixpkgs tests has a test here', () => {
  const found = new Set(rows.map(({ number }) => number).filter((number) => number > 0));
  assert.deepEqual([...found], NUMBERS);
});

for (const file of new Set(rows.map((row) => row.file))) {
  test(`the tests that the table names are in ${file}`, () => {
    const titles = titlesIn(read(file));
    const missing = rows.filter((row) => row.file === file && !titles.some((title) => title.test(row.title)));
    assert.deepEqual(missing, []);
  });
}

/** What the first arguments of `it(…)` match. */
function titlesIn(source: string): readonly RegExp[] {
  return [...source.matchAll(/\bit\(\s*(['"`])((?:\\.|(?!\1)[^\\])*)\1/g)].map(([, , title = '']) => {
    const parts = title.replaceAll(/\\(.)/g, '$1').split(/\$\{.*?\}/);
    return new RegExp(`^${parts.map((part) => escape(part)).join('.+')}$`);
  });
}

function escape(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\/]/g, String.raw`\$&`);
}
