import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { brotliCompressSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { type Compression, decompress } from '../../src/compression/decompress.ts';

const run =
  (program: string) =>
  (bytes: Buffer): Buffer =>
    execFileSync(program, ['-c'], { input: bytes, maxBuffer: 1e9 });

const COMPRESS: Readonly<Record<Compression, (bytes: Buffer) => Buffer>> = {
  none: (bytes) => bytes,
  gzip: (bytes) => gzipSync(bytes),
  zstd: (bytes) => zstdCompressSync(bytes),
  br: (bytes) => brotliCompressSync(bytes),
  xz: run('xz'),
  bzip2: run('bzip2'),
};

/** More than one block of bzip2's, also when it is compressed. */
const CONTENT = Buffer.concat([randomBytes(7_000_000), Buffer.alloc(3_000_000, 'nix')]);

async function* cut(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function collect(chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(Uint8Array.from(chunk));
  return Buffer.concat(all);
}

for (const [compression, compress] of Object.entries(COMPRESS) as [
  Compression,
  (bytes: Buffer) => Buffer,
][]) {
  test(`${compression} is undone in chunks of any size`, async () => {
    const compressed = compress(CONTENT);
    for (const size of [65_521, compressed.length])
      assert.ok((await collect(decompress(cut(compressed, size), compression))).equals(CONTENT));
    const small = compress(Buffer.from('hello'));
    assert.equal((await collect(decompress(cut(small, 1), compression))).toString(), 'hello');
  });

  test(`what is wrong with the input comes through: ${compression}`, async () => {
    const compressed = compress(CONTENT);
    const failing = async function* (): AsyncGenerator<Buffer> {
      yield* cut(compressed.subarray(0, compressed.length / 2), 100_000);
      throw new RangeError('cut off');
    };
    await assert.rejects(collect(decompress(failing(), compression)), RangeError);
  });

  test(`ending early ends the input: ${compression}`, async () => {
    let ended = false;
    const compressed = compress(CONTENT);
    const watched = async function* (): AsyncGenerator<Buffer> {
      try {
        yield* cut(compressed, 100_000);
      } finally {
        ended = true;
      }
    };
    for await (const _ of decompress(watched(), compression)) break;
    for (let turn = 0; turn < 100 && !ended; turn += 1) await new Promise(setImmediate);
    assert.ok(ended);
  });
}
