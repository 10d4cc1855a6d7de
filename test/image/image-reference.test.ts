import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  familiarName,
  parseImageName,
  parseImageReference,
  parseTag,
  qualifiedName,
} from '../../src/image/image-reference.ts';

const VALID: readonly [text: string, qualified: string][] = [
  ['hello', 'docker.io/library/hello:latest'],
  ['Hello:1.0', 'docker.io/library/hello:1.0'],
  ['team/hello', 'docker.io/team/hello:latest'],
  ['localhost/hello', 'localhost/hello:latest'],
  ['localhost:5000/a/b:v1', 'localhost:5000/a/b:v1'],
  ['ghcr.io/a/b__c/d-e.f:x_y', 'ghcr.io/a/b__c/d-e.f:x_y'],
  ['[::1]:5000/a:t', '[::1]:5000/a:t'],
];

for (const [text, qualified] of VALID) {
  test(`reference ${text}`, () => {
    const reference = parseImageReference(text, { tag: 'latest' });
    assert.equal(qualifiedName(reference), qualified);
    assert.deepEqual(parseImageReference(familiarName(reference), { tag: 'other' }), reference);
  });
}

for (const text of [
  '',
  '/',
  'a//b',
  'a b',
  '-a',
  'a/',
  'a:',
  'a:b:c',
  'a@sha256:0',
  'a'.repeat(256),
  'a:-x',
  `a:${'t'.repeat(129)}`,
  'é',
]) {
  test(`not a reference: ${JSON.stringify(text.slice(0, 20))}`, () => {
    assert.throws(() => parseImageReference(text, { tag: 'latest' }), { code: 'IMAGE_REFERENCE_INVALID' });
  });
}

test('a name is refused in time that its length justifies', () => {
  const started = performance.now();
  assert.throws(() => parseImageName(`${'a-'.repeat(120)}!`), { code: 'IMAGE_REFERENCE_INVALID' });
  assert.throws(() => parseTag('a'.repeat(1e6)), { code: 'IMAGE_REFERENCE_INVALID' });
  assert.ok(performance.now() - started < 1000);
});
