import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { brotliCompressSync, constants, gzipSync, zstdCompressSync } from 'node:zlib';
import { type Compression, decompress } from '../../src/compression/decompress.ts';

const run =
  (program: string) =>
  (bytes: Buffer): Buffer =>
    execFileSync(program, ['-1', '-c'], { input: bytes, maxBuffer: 1e9 });

const COMPRESS: Readonly<Record<Compression, (bytes: Buffer) => Buffer>> = {
  none: (bytes) => bytes,
  gzip: (bytes) => gzipSync(bytes),
  zstd: (bytes) => zstdCompressSync(bytes),
  br: (bytes) => brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } }),
  xz: run('xz'),
  bzip2: run('bzip2'),
};

/** More than one block of bzip2's, also when it is compressed. */
const CONTENT = Buffer.concat([randomBytes(3_000_000), Buffer.alloc(3_000_000, 'nix')]);

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
  const compressed = compress(CONTENT);

  test(`${compression} is undone in chunks of any size`, async () => {
    for (const size of [65_521, compressed.length])
      assert.ok((await collect(decompress(cut(compressed, size), compression))).equals(CONTENT));
    const small = compress(Buffer.from('hello'));
    assert.equal((await collect(decompress(cut(small, 1), compression))).toString(), 'hello');
  });

  test(`what is wrong with the input comes through: ${compression}`, async () => {
    const failing = async function* (): AsyncGenerator<Buffer> {
      yield* cut(compressed.subarray(0, compressed.length / 2), 100_000);
      throw new RangeError('cut off');
    };
    await assert.rejects(collect(decompress(failing(), compression)), RangeError);
  });

  test(`ending early ends the input: ${compression}`, async () => {
    let ended = false;
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

/** Formats whose files may be put after each other. */
for (const compression of ['gzip', 'zstd', 'xz', 'bzip2'] as const) {
  test(`several streams after each other are one: ${compression}`, async () => {
    const parts = [randomBytes(100_000), Buffer.from('small'), Buffer.alloc(0), randomBytes(300_000)];
    const compressed = Buffer.concat(parts.map(COMPRESS[compression]));
    for (const size of [100, 65_536, compressed.length]) {
      const contents = await collect(decompress(cut(compressed, size), compression));
      assert.ok(contents.equals(Buffer.concat(parts)));
    }
  });
}

test('parts of zstd that say nothing are left out', async () => {
  const skipped = Buffer.from('502a4d1803000000666f6f', 'hex');
  const compressed = Buffer.concat([skipped, zstdCompressSync(Buffer.from('x')), skipped]);
  for (const size of [1, 5, 100])
    assert.equal((await collect(decompress(cut(compressed, size), 'zstd'))).toString(), 'x');
});

for (const compression of ['gzip', 'zstd', 'xz', 'bzip2', 'br'] as const) {
  test(`what is cut off, empty or no ${compression} is an error`, async () => {
    const compressed = COMPRESS[compression](randomBytes(10_000));
    const rubbish = Buffer.alloc(1000, 'rubbish');
    const damaged = [compressed.subarray(0, -1), compressed.subarray(0, 5000), Buffer.alloc(0), rubbish];
    for (const bytes of damaged)
      await assert.rejects(collect(decompress(cut(bytes, 1000), compression)), {
        name: 'Error',
        message: /^(?!.*error code)/,
      });
  });

  test(`what unfolds without end needs little memory: ${compression}`, async () => {
    const bomb = COMPRESS[compression](Buffer.alloc(128 * 1024 * 1024));
    const before = process.memoryUsage().rss;
    let most = 0;
    for await (const _ of decompress(cut(bomb, 65_536), compression))
      most = Math.max(most, process.memoryUsage().rss - before);
    assert.ok(most < 110 * 1024 * 1024, `${most} bytes`);
  });
}
