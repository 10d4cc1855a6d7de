/** A layer that a worker makes while its bytes are used here: they come through a ring, and hashing them here leaves the worker to read on. */
import { createHash } from 'node:crypto';
import { finishDigest } from '../digest.ts';
import type { ImageLayer } from '../image/image.ts';
import { type ChunkRing, readRingAsync } from '../layer/chunk-ring.ts';
import type { TakeBytes } from '../layer/compress-layer.ts';
import type { LayerDigest } from '../layer/layer-source.ts';
import type { LayerWorkers } from '../layer/layer-workers.ts';

export interface LayerInTransit {
  readonly ring: ChunkRing;
  /** Settles when the worker is done. */
  readonly made: Promise<unknown>;
}

export async function sendThrough(
  ring: ChunkRing,
  { layer, workers }: { readonly layer: ImageLayer; readonly workers: LayerWorkers },
): Promise<LayerInTransit> {
  const { source } = await layer.prepare();
  const made = workers.run({ kind: 'feed', layer: source, places: [], ring });
  // Whoever copies the layer hears of a failure; until then it must not count as unhandled.
  made.catch(() => undefined);
  return { ring, made };
}

/** @param take its bytes may be overwritten once it is done with them */
export async function copyLayer({ ring, made }: LayerInTransit, take: TakeBytes): Promise<LayerDigest> {
  const hash = createHash('sha256');
  let size = 0;
  const copy = async (): Promise<void> => {
    for await (const chunk of readRingAsync(ring)) {
      hash.update(chunk);
      size += chunk.length;
      await take(chunk);
    }
  };
  await Promise.all([made, copy()]);
  return { diffID: finishDigest(hash), size };
}
