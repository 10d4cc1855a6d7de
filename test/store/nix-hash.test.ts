import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { fromNixBase32, parseNixHash, toNixBase32 } from '../../src/store/nix-hash.ts';
import { failsWith, succeedsOrFailsProperly } from './support/errors.ts';
import { skipWithoutNix } from './support/real-nix.ts';

const HEX = '45076766160859d6176393690803bd51549a3406cb18afe29032c4aa2ae98741';
const BASE32 = '0hc7x4mami1jj3iay66b0qs9lm2ipl1hhsckccbxcn882rk6f1s5';
const BASE64 = 'RQdnZhYIWdYXY5NpCAO9UVSaNAbLGK/ikDLEqirph0E=';

for (const text of [
  `sha256:${HEX}`,
  `sha256:${BASE32}`,
  `sha256:${BASE64}`,
  `sha256-${BASE64}`,
  HEX,
  HEX.toUpperCase(),
  BASE32,
  BASE64,
]) {
  test(`parseNixHash reads ${text}`, () => {
    assert.equal(parseNixHash(text), `sha256:${HEX}`);
  });
}

for (const text of [
  '',
  'sha256:',
  'sha256-',
  `sha512:${HEX}`,
  `md5:${HEX.slice(0, 32)}`,
  `sha256:${HEX}0`,
  `sha256:${HEX.slice(1)}`,
  `sha256-${HEX}`,
  `sha256-${BASE32}`,
  `sha256:sha256:${HEX}`,
  `sha256-${BASE64.slice(0, -1)}`,
  // Bits that no byte has: base 64 `F` instead of `E`, base 32 `2` instead of `0`.
  `sha256-${BASE64.replace('E=', 'F=')}`,
  `sha256:2${BASE32.slice(1)}`,
  `sha256:${BASE32.replace('h', 'e')}`,
  ` ${HEX}`,
  `${HEX}\n`,
]) {
  test(`parseNixHash rejects ${JSON.stringify(text)}`, () => {
    assert.throws(() => parseNixHash(text), failsWith('HASH_INVALID'));
  });
}

for (const [bytes, text] of [
  ['', ''],
  ['00', '00'],
  ['1f', '0z'],
  ['ff', '7z'],
  ['ffff', '1zzz'],
] as const) {
  test(`base 32 of ${bytes || 'nothing'} is ${text || 'empty'}`, () => {
    assert.equal(toNixBase32(Buffer.from(bytes, 'hex')), text);
    assert.deepEqual(Buffer.from(fromNixBase32(text)), Buffer.from(bytes, 'hex'));
  });
}

for (const text of ['z', 'zz', 'e0', '0E', '000', '0é']) {
  test(`fromNixBase32 rejects ${text}`, () => {
    assert.throws(() => fromNixBase32(text), failsWith('HASH_INVALID'));
  });
}

test('base 32 keeps any bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
      assert.deepEqual(fromNixBase32(toNixBase32(bytes)), bytes);
    }),
  );
});

test('any text is read or rejected', () => {
  const near = fc.tuple(
    fc.constantFrom('sha256:', 'sha256-', ''),
    fc.string({ minLength: 40, maxLength: 66 }),
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        near.map(([prefix, rest]) => prefix + rest),
      ),
      (text) => {
        succeedsOrFailsProperly(() => parseNixHash(text));
      },
    ),
  );
});

function nixHash(form: string, hash: string): string {
  const args = ['--extra-experimental-features', 'nix-command', 'hash', form, hash];
  return execFileSync('nix', args).toString().trim();
}

test('hashes are written as Nix writes them', { skip: skipWithoutNix }, () => {
  for (const seed of ['a', 'b', 'c']) {
    const hex = createHash('sha256').update(seed).digest('hex');
    assert.equal(toNixBase32(Buffer.from(hex, 'hex')), nixHash('to-base32', `sha256:${hex}`));
    for (const form of ['to-base16', 'to-base32', 'to-base64', 'to-sri']) {
      assert.equal(parseNixHash(nixHash(form, `sha256:${hex}`)), `sha256:${hex}`);
    }
  }
});
