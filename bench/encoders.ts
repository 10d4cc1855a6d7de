/**
 * What encoders make of a file, and how fast one thread of them is: those of layers against the zlib and zstd in Node.js as they come.
 *
 *     node bench/encoders.ts FILE      a tar, say; all of it is read into memory
 *
 * Blocks take turns, so that a busy second of the machine meets all of them. Prints Markdown.
 */
import { readFileSync } from 'node:fs';
import { constants, deflateRawSync, zstdCompressSync } from 'node:zlib';
import { compressBlock, encoderFor } from '../src/layer/encoder.ts';
import { markdownTable, print } from './support.ts';

type Compress = (block: Buffer, before: Buffer) => Uint8Array;

const MIB = 1024 * 1024;
const BLOCK = 4 * MIB;
const DICTIONARY = 32 * 1024;

const input = readFileSync(process.argv[2] ?? '');
const contenders = new Map<string, Compress>([
  ...[1, 3, 6].map((level) => [`zlib, level ${level}`, zlib(level)] as const),
  ...[1, 4, 6].map((level) => [`gzip:${level}`, ours('gzip', level)] as const),
  ['zstd in Node.js, level 3', (block) => zstdCompressSync(block, { chunkSize: BLOCK + MIB })],
  ...[2, 3].map((level) => [`zstd:${level}`, ours('zstd', level)] as const),
]);
const results = new Map([...contenders.keys()].map((name) => [name, { seconds: 0, bytes: 0 }]));

for (let at = 0; at < input.length; at += BLOCK) {
  const block = input.subarray(at, at + BLOCK);
  const before = input.subarray(Math.max(0, at - DICTIONARY), at);
  for (const [name, compress] of contenders) {
    const start = process.cpuUsage();
    const { length } = compress(block, before);
    const { user, system } = process.cpuUsage(start);
    const result = results.get(name)!;
    result.seconds += (user + system) / 1e6;
    result.bytes += length;
  }
}
print(
  markdownTable([
    ['', 'MB/s', 'of the input'],
    ...[...results].map(([name, { seconds, bytes }]) => [
      name,
      (input.length / seconds / 1e6).toFixed(0),
      `${((100 * bytes) / input.length).toFixed(2)} %`,
    ]),
  ]),
);

function ours(kind: 'gzip' | 'zstd', level: number): Compress {
  const encoder = encoderFor({ kind, level });
  return (block) => {
    const parts: Buffer[] = [];
    for (let at = 0; at < block.length; at += encoder.blockSize)
      parts.push(compressBlock(encoder, block.subarray(at, at + encoder.blockSize)));
    return Buffer.concat(parts);
  };
}

function zlib(level: number): Compress {
  return (block, before) =>
    deflateRawSync(block, {
      level,
      chunkSize: BLOCK + MIB,
      finishFlush: constants.Z_SYNC_FLUSH,
      ...(before.length === 0 ? {} : { dictionary: before }),
    });
}
