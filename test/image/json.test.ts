import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseJson } from '../../src/image/json.ts';

for (const text of [
  '30000000000',
  '12345678901234567890',
  '1e3',
  '0.10',
  '-0',
  '[1.5,{"a":9007199254740993}]',
  '{"__proto__":{"b":1}}',
]) {
  test(`numbers and keys survive: ${text}`, () => {
    assert.equal(JSON.stringify(parseJson(text)), text);
  });
}
