import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { crc32, gunzipSync, zstdDecompressSync } from 'node:zlib';
import {
  compressBlock,
  type CompressingKind,
  type Encoder,
  encoderFor,
  parseCompression,
  streamHeader,
  streamTrailer,
} from '../../src/layer/encoder.ts';
import { patterned } from '../support/patterned.ts';

const DECODERS = {
  gzip: { whole: gunzipSync, program: 'gzip' },
  zstd: { whole: zstdDecompressSync, program: 'zstd' },
} as const;

/** All of a stream, as whoever has the blocks in order puts it together. */
function compress(encoder: Encoder, input: Buffer): Buffer {
  const parts = [streamHeader(encoder)];
  for (let at = 0; at < input.length; at += encoder.blockSize) {
    const bytes = input.subarray(at, at + encoder.blockSize);
    parts.push(
      compressBlock(encoder, {
        bytes,
        dictionary: input.subarray(Math.max(0, at - encoder.dictionarySize), at),
      }),
    );
  }
  parts.push(streamTrailer(encoder, { crc32: crc32(input), size: input.length }));
  return Buffer.concat(parts);
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

for (const kind of ['gzip', 'zstd'] as const) {
  const encoder = encoderFor({ kind, level: 1 });
  const { blockSize } = encoder;
  const sizes = [0, 1, blockSize - 1, blockSize, blockSize + 1, 3 * blockSize + 12_345];

  for (const size of sizes.filter((bytes) => kind === 'gzip' || bytes > 0))
    test(`${kind} of ${size} bytes is decoded by whole-stream decoders`, (context) => {
      const input = patterned(size);
      const output = compress(encoder, input);
      assert.ok(DECODERS[kind].whole(output).equals(input), "Node's decoder gives the input");
      const { program } = DECODERS[kind];
      if (spawnSync(program, ['--version']).error !== undefined) {
        context.diagnostic(`${program} is not there`);
        return;
      }
      const checked = spawnSync(program, ['-t'], { input: output });
      assert.equal(checked.status, 0, String(checked.stderr));
      const decoded = spawnSync(program, ['-dc'], { input: output, maxBuffer: 2 * size + 1024 });
      assert.ok(decoded.stdout.equals(input), `${program} gives the input`);
    });

  for (const level of kind === 'gzip' ? [1, 6, 9] : [1, 3, 19])
    test(`${kind} of level ${level} loses nothing`, () => {
      const input = patterned(200_000);
      assert.ok(DECODERS[kind].whole(compress(encoderFor({ kind, level }), input)).equals(input));
    });
}

test('the input of these tests is always the same', () => {
  assert.equal(
    sha256(patterned(3 * 1024 * 1024)),
    'fb2615e2c32fc6a5d324240462bbe76a73e16436aa5e5eaa9302dee4aa94e439',
  );
});

test('a reference across blocks is found again', () => {
  const encoder = encoderFor({ kind: 'gzip', level: 6 });
  // The second block begins with what the first one ends with; nothing else repeats.
  const random = patterned(encoder.blockSize, { repeats: false });
  const repeated = random.subarray(-encoder.dictionarySize / 2);
  const input = Buffer.concat([random, repeated]);
  const output = compress(encoder, input);
  assert.ok(gunzipSync(output).equals(input));
  assert.ok(output.length < random.length + repeated.length / 2, 'the dictionary is used');
});

test('an id names everything that bytes depend on', () => {
  const shapes: readonly { kind: CompressingKind; level: number }[] = [
    { kind: 'gzip', level: 6 },
    { kind: 'gzip', level: 9 },
    { kind: 'zstd', level: 3 },
    { kind: 'zstd', level: 6 },
  ];
  const ids = shapes.map((shape) => encoderFor(shape).id);
  assert.equal(new Set(ids).size, shapes.length);
  const { zlib = '', zstd = '' } = process.versions;
  const named = [
    `phyllo-gzip-1/${zlib}/level-6/block-1048576`,
    `phyllo-gzip-1/${zlib}/level-9/block-1048576`,
    `phyllo-zstd-2/${zstd}/level-3/block-4194304`,
    `phyllo-zstd-2/${zstd}/level-6/block-4194304`,
  ];
  for (const [i, name] of named.entries())
    assert.match(ids[i]?.replace(name, '') ?? '', new RegExp(`^/${process.arch}-[0-9a-f]{8}$`), ids[i]);
  assert.deepEqual(
    shapes.map((shape) => encoderFor(shape).id),
    ids,
  );
});

test('an id tells what the bytes depend on besides versions: another outcome of the same settings', () => {
  const probeIn = (kind: CompressingKind, level: number): string | undefined =>
    encoderFor({ kind, level }).id.split('/').at(-1);
  assert.notEqual(probeIn('gzip', 1), probeIn('gzip', 9));
  assert.notEqual(probeIn('zstd', 1), probeIn('zstd', 19));
});

test('compressions as users write them', () => {
  assert.deepEqual(['none', 'gzip', 'zstd', 'gzip:9', 'zstd:19'].map(parseCompression), [
    { kind: 'none' },
    { kind: 'gzip', level: 6 },
    { kind: 'zstd', level: 3 },
    { kind: 'gzip', level: 9 },
    { kind: 'zstd', level: 19 },
  ]);
  for (const text of [
    'fb2615e2c32fc6a5d324240462bbe76a73e16436aa5e5eaa9302dee4aa94e439',
    'xz',
    'none:1',
    'gzip:0',
    'gzip:10',
    'zstd:20',
    'gzip:',
    'gzip:six',
    'GZIP',
    ' gzip',
  ])
    assert.throws(() => parseCompression(text), { code: 'USAGE_INVALID' }, text);
});
