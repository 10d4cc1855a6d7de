/** IMAGE.json as people write it: with comments and commas that lead nowhere. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { readDescription } from '../../src/cli/description-file.ts';
import { PhylloError } from '../../src/errors.ts';
import { printLikePython } from '../../src/image/ordered-json.ts';
import { temporaryDirectory } from '../support/temporary.ts';

test('comments and trailing commas count as nothing; texts that look like them stay', (context) => {
  const { description } = read(context, [
    '// first',
    '{ /* "name": "no", */ "name": "yes",',
    '  "config": { "Env": ["A=//b", "C=/* d */", "E=\\"//f",], }, // "tag": "no"',
    '}',
  ]);
  assert.deepEqual(description, { name: 'yes', config: { Env: ['A=//b', 'C=/* d */', 'E="//f'] } });
});

test("the order of config's keys and the digits of its numbers are kept", (context) => {
  const { description, configOrder } = read(context, ['{ "config": { "z": 1.10, /* 2 */ "a": 1e2, } }']);
  assert.equal(JSON.stringify(description.config), '{"z":1.10,"a":1e2}');
  assert.match(printLikePython(configOrder ?? null), /"z": 1\.1,\s+"a": 100/);
});

const MISTAKES: readonly (readonly [string, readonly string[], RegExp])[] = [
  [
    'after comments, by line and column',
    ['{ // one', '  /* two', '  */ "name": oops }'],
    /line 3, column 14/,
  ],
  ['a comment without an end', ['{ "name": "a" } /* b'], /line 1, column 17/],
  ['two commas', ['{ "name": "a",, }'], /line 1, column 15/],
];

for (const [what, lines, message] of MISTAKES) {
  test(`a mistake is named with its place: ${what}`, (context) => {
    assert.throws(
      () => read(context, lines),
      (error) =>
        error instanceof PhylloError && error.code === 'IMAGE_INVALID' && message.test(error.message),
    );
  });
}

function read(
  context: Parameters<typeof temporaryDirectory>[0],
  lines: readonly string[],
): ReturnType<typeof readDescription> {
  const file = join(temporaryDirectory(context), 'image.json');
  writeFileSync(file, lines.join('\n'));
  return readDescription(file);
}
