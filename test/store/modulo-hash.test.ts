import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { finishDigest } from '../../src/digest.ts';
import { ModuloHash } from '../../src/store/modulo-hash.ts';

const HASH_PART = 'ab'.repeat(16);

/** As Nix's documentation has it, over all bytes at once. */
function expected(text: string): string {
  const places: string[] = [];
  const zeroed = text.replaceAll(HASH_PART, (_, place: number) => {
    places.push(`|${place}`);
    return '\0'.repeat(32);
  });
  return finishDigest(createHash('sha256').update(zeroed + places.join(''), 'latin1'));
}

test('the hash does not depend on how the bytes are cut', () => {
  const part = fc.oneof(fc.constant(HASH_PART), fc.constantFrom('a', 'b', 'ab', 'x'.repeat(50)));
  fc.assert(
    fc.property(fc.array(part, { maxLength: 8 }), fc.integer({ min: 1, max: 40 }), (parts, size) => {
      const bytes = Buffer.from(parts.join(''), 'latin1');
      const hash = new ModuloHash(HASH_PART);
      for (let at = 0; at < bytes.length; at += size) hash.push(bytes.subarray(at, at + size));
      assert.equal(hash.finish(), expected(parts.join('')));
    }),
  );
});
