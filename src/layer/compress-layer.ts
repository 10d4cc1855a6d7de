/**
 * Makes compressed layers with all workers at once, also when there is one layer only.
 *
 * For each layer one thread makes and hashes the tar's bytes and puts them into a ring as blocks; any worker compresses the next
 * block; the main thread hashes the compressed blocks in order and writes them. Two layers are on their way at a time, so that
 * workers need not wait for the end of a small one.
 */
import { createHash } from 'node:crypto';
import { finishDigest } from '../digest.ts';
import { type ChunkRing, releaseSlot, RingPool, takeFromRing } from './chunk-ring.ts';
import { type Encoder, streamHeader, streamTrailer } from './encoder.ts';
import type { LayerSource } from './layer-source.ts';
import type { LayerWorkers } from './layer-workers.ts';
import type { StoredLayer } from './stored-layer.ts';

/** Takes compressed bytes in order; they may be overwritten once it is done with them. */
export type TakeBytes = (bytes: Uint8Array) => void | Promise<void>;

/** Layers on their way at a time: threads that make bytes beside those that compress. */
export const FEEDERS = 2;

export interface CompressOptions {
  readonly encoder: Encoder;
  /** Threads that compress; as many again as `FEEDERS` must be free to make bytes. */
  readonly compressors: LayerWorkers;
  readonly feeders: LayerWorkers;
}

/**
 * Compresses one layer.
 * @throws what making the layer or taking its bytes throws
 */
export async function compressLayer(
  source: LayerSource,
  { encoder, compressors, feeders, take }: CompressOptions & { readonly take: TakeBytes },
): Promise<Omit<StoredLayer, 'mediaType'>> {
  const pool = poolFor({ encoder, compressors });
  const ring = pool.take();
  const made = feeders.run({ kind: 'blocks', layer: source, ring });
  const output = new CompressedOutput(take);
  await output.write(streamHeader(encoder));
  // Whichever fails first ends the layer; the other may wait for ever and is not waited for.
  const [layer] = await Promise.all([made, compressBlocks(ring, { encoder, compressors, output })]);
  pool.giveBack(ring);
  await output.write(streamTrailer(encoder, layer));
  return { diffID: layer.diffID, tarSize: layer.size, ...output.finish() };
}

const pools = new WeakMap<LayerWorkers, Map<string, RingPool>>();

/** One pool for each set of workers and encoder, as long as the workers are there. */
function poolFor({ encoder, compressors }: Pick<CompressOptions, 'encoder' | 'compressors'>): RingPool {
  const own = pools.get(compressors) ?? new Map<string, RingPool>();
  pools.set(compressors, own);
  // One slot for each block that is compressed, and for the one being made, the next in line, and the last one's dictionary.
  const pool = own.get(encoder.id) ?? new RingPool({ count: compressors.count + 3, size: encoder.blockSize });
  own.set(encoder.id, pool);
  return pool;
}

interface BlockOptions {
  readonly encoder: Encoder;
  readonly compressors: LayerWorkers;
  readonly output: CompressedOutput;
}

async function compressBlocks(
  ring: ChunkRing,
  { encoder, compressors, output }: BlockOptions,
): Promise<void> {
  const pending: Promise<Uint8Array>[] = [];
  let dictionary: Uint8Array = new Uint8Array(0);
  /** A block's memory is also the next one's dictionary: it is given back when both are done. */
  const writeOldest = async (): Promise<void> => {
    await output.write(await (pending.shift() as Promise<Uint8Array>));
    if (output.blocks > 1) releaseSlot(ring);
  };
  for await (const bytes of takeFromRing(ring)) {
    const compressed = compressors.run({ kind: 'compress', encoder, block: { bytes, dictionary } });
    compressed.catch(() => undefined);
    pending.push(compressed);
    dictionary = bytes.subarray(Math.max(0, bytes.length - encoder.dictionarySize));
    // One slot is the maker's, one the previous block's: waiting for more would wait for ever.
    if (pending.length > compressors.count) await writeOldest();
  }
  while (pending.length > 0) await writeOldest();
}

/** Hashes compressed blocks and hands them on, in order. */
class CompressedOutput {
  readonly #take: TakeBytes;
  readonly #hash = createHash('sha256');
  #size = 0;
  blocks = -1;

  constructor(take: TakeBytes) {
    this.#take = take;
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#hash.update(bytes);
    this.#size += bytes.length;
    this.blocks += 1;
    await this.#take(bytes);
  }

  finish(): Pick<StoredLayer, 'digest' | 'size'> {
    return { digest: finishDigest(this.#hash), size: this.#size };
  }
}
