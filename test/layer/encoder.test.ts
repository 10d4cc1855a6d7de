import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import {
  compressBlock,
  type CompressingKind,
  type Encoder,
  encoderFor,
  parseCompression,
} from '../../src/layer/encoder.ts';
import { patterned } from '../support/patterned.ts';

const DECODERS = {
  gzip: { whole: gunzipSync, program: 'gzip' },
  zstd: { whole: zstdDecompressSync, program: 'zstd' },
} as const;

/** All of a stream, as whoever has the blocks in order puts it together. */
function compress(encoder: Encoder, input: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < input.length; at += encoder.blockSize)
    parts.push(compressBlock(encoder, input.subarray(at, at + encoder.blockSize)));
  return Buffer.concat(parts);
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

for (const kind of ['gzip', 'zstd'] as const) {
  const encoder = encoderFor({ kind, level: 1 });
  const { blockSize } = encoder;

  for (const size of [1, blockSize - 1, blockSize, blockSize + 1, 3 * blockSize + 12_345])
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

  for (const level of kind === 'gzip' ? [1, 6, 9, 12] : [1, 3, 19])
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

test('gzip has the same bytes everywhere', () => {
  const input = patterned(1_500_000);
  assert.deepEqual(
    [1, 6, 9, 12].map((level) => sha256(compress(encoderFor({ kind: 'gzip', level }), input))),
    [
      '948b394d2bce7388b57cef87c5749b60b9518e485f441d7a98277efc8a3334cb',
      'a7ed5443a54c3d5c1617c4f7e6e90b89cbf7931fb3115b165375a8ef2bdb9682',
      '031318c04d1b7435dd3f311443c972fb5881e45427a71f6dbafa89e3276b9d0b',
      'b7b2c1d1810a2ba4fd47b99e7e1812579cc4909fb4554cc3f59528c8b327bdbf',
    ],
  );
});

test('what cannot be compressed fits, too', () => {
  for (const kind of ['gzip', 'zstd'] as const) {
    const encoder = encoderFor({ kind, level: 1 });
    const input = patterned(encoder.blockSize, { repeats: false });
    const output = compress(encoder, input);
    assert.ok(output.length <= encoder.outputSize);
    assert.ok(DECODERS[kind].whole(output).equals(input));
  }
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
  const { zstd = '' } = process.versions;
  assert.deepEqual(ids.slice(0, 2), [
    'phyllo-gzip-2/libdeflate-1.23/level-6/block-1048576',
    'phyllo-gzip-2/libdeflate-1.23/level-9/block-1048576',
  ]);
  const named = [
    `phyllo-zstd-3/${zstd}/level-3/block-4194304`,
    `phyllo-zstd-3/${zstd}/level-6/block-4194304`,
  ];
  for (const [i, name] of named.entries())
    assert.match(
      ids[i + 2]?.replace(name, '') ?? '',
      new RegExp(`^/${process.arch}-[0-9a-f]{8}$`),
      ids[i + 2],
    );
  assert.deepEqual(
    shapes.map((shape) => encoderFor(shape).id),
    ids,
  );
});

test('an id tells what the bytes depend on besides versions: another outcome of the same settings', () => {
  const probeAt = (level: number): string | undefined =>
    encoderFor({ kind: 'zstd', level }).id.split('/').at(-1);
  assert.notEqual(probeAt(1), probeAt(19));
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
    'gzip:13',
    'zstd:20',
    'gzip:',
    'gzip:six',
    'GZIP',
    ' gzip',
  ])
    assert.throws(() => parseCompression(text), { code: 'USAGE_INVALID' }, text);
});
