import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { decompressBzip2 } from '../../src/compression/bzip2.ts';

function decompress(bytes: Buffer, chunkSize = bytes.length): Buffer {
  let at = 0;
  const pull = (): Buffer | undefined => {
    if (at >= bytes.length) return undefined;
    at += chunkSize;
    return bytes.subarray(at - chunkSize, at);
  };
  return Buffer.concat([...decompressBzip2(pull)]);
}

const bzip2 = (bytes: Buffer, level = 9): Buffer =>
  execFileSync('bzip2', [`-${level}`, '-c'], { input: bytes, maxBuffer: 1e9 });

const SAMPLES: Readonly<Record<string, Buffer>> = {
  empty: Buffer.alloc(0),
  'one byte': Buffer.from('a'),
  text: Buffer.from('Hello from a stack of store paths!\n'.repeat(1000)),
  random: randomBytes(1_500_000),
  'all byte values': Buffer.from(Array.from({ length: 70_000 }, (_, i) => (i * i) & 0xff)),
  zeros: Buffer.alloc(5_000_000),
  'runs of every length': Buffer.concat(
    Array.from({ length: 600 }, (_, i) => Buffer.alloc(i, i % 7 === 0 ? 1 : i & 0xff)),
  ),
};

for (const [name, bytes] of Object.entries(SAMPLES)) {
  test(`decompresses what bzip2 made: ${name}`, () => {
    for (const level of [1, 9]) assert.ok(decompress(bzip2(bytes, level)).equals(bytes));
    assert.ok(decompress(bzip2(bytes), 1).equals(bytes), 'byte by byte');
  });
}

test('streams one after the other are one', () => {
  const parts = [Buffer.from('one'), Buffer.from('two')].map((part) => bzip2(part));
  assert.equal(decompress(Buffer.concat(parts)).toString(), 'onetwo');
});

test('damage is found', () => {
  const good = bzip2(SAMPLES['text'] as Buffer);
  assert.throws(() => decompress(good.subarray(0, -5)), /before it is whole/);
  assert.throws(() => decompress(Buffer.concat([good, Buffer.from('garbage')])), /not a bzip2 stream/);
  for (let at = 4; at < good.length; at += 1) {
    const bad = Buffer.from(good);
    bad[at] = (bad[at] as number) ^ 0x10;
    assert.ok(isFoundOrHarmless(bad, SAMPLES['text'] as Buffer), `byte ${at}`);
  }
});

/** Another origin in a text that repeats itself gives the same text. */
function isFoundOrHarmless(bad: Buffer, expected: Buffer): boolean {
  try {
    return decompress(bad).equals(expected);
  } catch (error) {
    return error instanceof Error && /bzip2/.test(error.message);
  }
}
