import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { chmodSync, closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { compressLayer, type TakeBytes } from '../../src/layer/compress-layer.ts';
import { type Compression, encoderFor } from '../../src/layer/encoder.ts';
import type { LayerSource } from '../../src/layer/layer-source.ts';
import { LayerWorkers } from '../../src/layer/layer-workers.ts';
import type { StoredLayer } from '../../src/layer/stored-layer.ts';
import { patterned } from '../support/patterned.ts';
import { digestLayer, scanPaths } from '../support/scanned.ts';
import { temporaryDirectory } from '../support/temporary.ts';

type Compressing = Exclude<Compression, { readonly kind: 'none' }>;

const STORE_PATH = '/nix/store/00000000000000000000000000000000-files';
const OWNERSHIP = { mtimeSeconds: 1, uid: 0, gid: 0, uname: 'root', gname: 'root' };
const GZIP = { kind: 'gzip', level: 1 } as const;
const ZSTD = { kind: 'zstd', level: 1 } as const;

/** A layer with files of these sizes. */
async function layerOf(root: string, sizes: readonly number[]): Promise<LayerSource> {
  mkdirSync(join(root, STORE_PATH), { recursive: true });
  for (const [i, size] of sizes.entries()) {
    const file = join(root, STORE_PATH, `file-${i}`);
    writeFileSync(file, patterned(size));
    chmodSync(file, 0o444);
  }
  const paths = await scanPaths([STORE_PATH], { root, ownership: OWNERSHIP });
  return { kind: 'store', paths, ownership: OWNERSHIP };
}

interface Compressed extends Omit<StoredLayer, 'mediaType'> {
  readonly bytes: Buffer;
}

async function compress(
  layer: LayerSource,
  {
    compression,
    count,
    slow,
  }: { readonly compression: Compressing; readonly count: number; readonly slow?: boolean },
): Promise<Compressed> {
  const parts: Buffer[] = [];
  const take: TakeBytes = async (bytes) => {
    if (slow === true) await delay(5);
    parts.push(Buffer.from(bytes));
  };
  const stored = await withWorkers(count, async (workers) =>
    compressLayer(layer, { encoder: encoderFor(compression), workers, take }),
  );
  return { ...stored, bytes: Buffer.concat(parts) };
}

async function withWorkers<T>(count: number, use: (workers: LayerWorkers) => Promise<T>): Promise<T> {
  const workers = new LayerWorkers(count);
  try {
    return await use(workers);
  } finally {
    await workers.close();
  }
}

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

for (const [compression, decode] of [
  [GZIP, gunzipSync],
  [ZSTD, zstdDecompressSync],
] as const) {
  const { kind } = compression;

  test(`${kind}: a layer of several blocks has its digests, whatever the workers and whoever takes the bytes`, async (context) => {
    const layer = await layerOf(temporaryDirectory(context), [9_000_001, 1, 0, 5_000_000]);
    const expected = await digestLayer(layer);
    const first = await compress(layer, { compression, count: 1 });
    assert.deepEqual(
      { diffID: first.diffID, tarSize: first.tarSize },
      { diffID: expected.diffID, tarSize: expected.size },
    );
    assert.deepEqual(
      { digest: first.digest, size: first.size },
      { digest: digestOf(first.bytes), size: first.bytes.length },
    );
    assert.equal(digestOf(decode(first.bytes)), expected.diffID);
    for (const count of [2, 4])
      assert.equal((await compress(layer, { compression, count })).digest, first.digest, `${count} workers`);
    assert.equal(
      (await compress(layer, { compression, count: 4, slow: true })).digest,
      first.digest,
      'slowly',
    );
  });

  test(`${kind}: a layer of one small block`, async (context) => {
    const layer = await layerOf(temporaryDirectory(context), []);
    const { bytes, diffID } = await compress(layer, { compression, count: 2 });
    assert.equal(digestOf(decode(bytes)), diffID);
  });

  test(`${kind}: layers side by side do not mix`, async (context) => {
    const layers = [
      await layerOf(temporaryDirectory(context), [6_000_000]),
      await layerOf(temporaryDirectory(context), [3_000_000, 2_500_000]),
    ];
    const alone = await Promise.all(layers.map(async (layer) => digestLayer(layer)));
    const together = await withWorkers(2, async (workers) =>
      Promise.all(
        layers.map(async (layer) =>
          compressLayer(layer, { encoder: encoderFor(compression), workers, take: () => undefined }),
        ),
      ),
    );
    assert.deepEqual(
      together.map(({ diffID }) => diffID),
      alone.map(({ diffID }) => diffID),
    );
  });
}

test('a layer ends exactly with a block', async (context) => {
  const { blockSize } = encoderFor(GZIP);
  const overhead = (await digestLayer(await layerOf(temporaryDirectory(context), [0]))).size;
  // Tars are multiples of 10 KiB, blocks of 1 MiB: 5 MiB are both.
  const layer = await layerOf(temporaryDirectory(context), [5 * blockSize - overhead]);
  const { bytes, diffID, tarSize } = await compress(layer, { compression: GZIP, count: 2 });
  assert.equal(tarSize, 5 * blockSize);
  assert.equal(digestOf(gunzipSync(bytes)), diffID);
});

test('whoever cannot take the bytes ends the layer', async (context) => {
  const layer = await layerOf(temporaryDirectory(context), [9_000_000]);
  await assert.rejects(
    withWorkers(2, async (workers) =>
      compressLayer(layer, {
        encoder: encoderFor(GZIP),
        workers,
        take: (bytes) => {
          if (bytes.length > 100) throw new Error('full');
        },
      }),
    ),
    { message: 'full' },
  );
});

test('a file that changed ends the layer', async (context) => {
  const root = temporaryDirectory(context);
  const layer = await layerOf(root, [3_000_000, 7]);
  const file = join(root, STORE_PATH, 'file-1');
  chmodSync(file, 0o644);
  writeFileSync(file, 'longer than before');
  await assert.rejects(compress(layer, { compression: GZIP, count: 2 }), { code: 'FILE_CHANGED' });
});

test('layers that fail, or that nobody takes, leave nothing that the next ones wait for', async (context) => {
  const root = temporaryDirectory(context);
  const good = await layerOf(temporaryDirectory(context), [6_000_000]);
  const bad = await layerOf(root, [5_000_000, 7]);
  chmodSync(join(root, STORE_PATH, 'file-1'), 0o644);
  writeFileSync(join(root, STORE_PATH, 'file-1'), 'longer than before');
  const encoder = encoderFor(ZSTD);
  const refuse: TakeBytes = () => {
    throw new Error('full');
  };
  await withWorkers(2, async (workers) => {
    const { diffID } = await compressLayer(good, { encoder, workers });
    for (let i = 0; i < 8; i += 1) {
      const [changed, refused, made] = await Promise.allSettled([
        compressLayer(bad, { encoder, workers }),
        compressLayer(good, { encoder, workers, take: refuse }),
        compressLayer(good, { encoder, workers }),
      ]);
      assert.equal(changed.status, 'rejected');
      assert.equal(refused.status, 'rejected');
      assert.equal(made.status === 'fulfilled' && made.value.diffID, diffID);
    }
  });
});

test('a blob is the same in files, through a ring, and in both at once', async (context) => {
  const directory = temporaryDirectory(context);
  const layer = await layerOf(directory, [9_000_000]);
  const encoder = encoderFor(GZIP);
  const file = join(directory, 'blob');
  const fd = openSync(file, 'w+');
  context.after(() => closeSync(fd));
  const parts: Buffer[] = [];
  const take: TakeBytes = (bytes) => void parts.push(Buffer.from(bytes));
  const { digest, size } = await withWorkers(2, async (workers) =>
    compressLayer(layer, { encoder, workers, places: [{ file, fd, offset: 100 }], take }),
  );
  assert.equal(Buffer.concat(parts).length, size);
  assert.equal(digestOf(Buffer.concat(parts)), digest);
  assert.equal(digestOf(readFileSync(file).subarray(100)), digest);
});
