/**
 * Makes layers side by side.
 *
 * A layer's digest is one sequential computation, so a layer larger than a worker's fair share would keep one worker busy
 * after all others are done. Such a layer gets two: one reads files, the other hashes, and both write.
 */
import { createChunkRing } from './chunk-ring.ts';
import type { FilePosition } from './chunk-sink.ts';
import type { LayerDigest, LayerSource } from './layer-source.ts';
import type { LayerWorkers } from './layer-workers.ts';

export interface LayerToMake {
  readonly source: LayerSource;
  /** Bytes of its tar. */
  readonly size: number;
  /** Where its bytes go; none: only the digest is wanted. */
  readonly places: readonly FilePosition[];
  /** Called when its bytes are at their places. */
  done(digest: LayerDigest): Promise<void>;
}

/**
 * The largest first.
 * @throws what a worker or `done` throws; the others may still be at work then
 */
export async function makeLayers(layers: readonly LayerToMake[], workers: LayerWorkers): Promise<void> {
  const fairShare = layers.reduce((sum, { size }) => sum + size, 0) / workers.count;
  await Promise.all(
    layers
      .toSorted((left, right) => right.size - left.size)
      .map(async (layer) => {
        const isLarge = workers.count > 1 && layer.size > fairShare;
        await layer.done(await (isLarge ? makeWithTwo(layer, workers) : makeWithOne(layer, workers)));
      }),
  );
}

async function makeWithOne({ source, places }: LayerToMake, workers: LayerWorkers): Promise<LayerDigest> {
  return await workers.run({ kind: 'write', layer: source, places });
}

async function makeWithTwo({ source, places }: LayerToMake, workers: LayerWorkers): Promise<LayerDigest> {
  const ring = createChunkRing();
  const [, digest] = await Promise.all([
    workers.run({ kind: 'feed', layer: source, places, ring }),
    workers.run({ kind: 'digest', ring, places }),
  ]);
  return digest;
}
