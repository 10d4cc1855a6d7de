/** Makes the blobs of layers that somebody needs: to their places at all destinations at once, compared with what was known. */
import { PhylloError } from '../errors.ts';
import type { ImageLayer } from '../image/image.ts';
import { LAYER_MEDIA_TYPES } from '../image/media-types.ts';
import type { FilePosition } from '../layer/chunk-sink.ts';
import { compressLayer, type TakeBytes } from '../layer/compress-layer.ts';
import type { DigestCache } from '../layer/digest-cache.ts';
import { type Compression, encoderFor } from '../layer/encoder.ts';
import type { LayerDigest } from '../layer/layer-source.ts';
import type { LayerWorkers } from '../layer/layer-workers.ts';
import type { LayerProgress } from '../layer/progress.ts';
import { makeLayers } from '../layer/make-layers.ts';
import type { StoredLayer } from '../layer/stored-layer.ts';
import type { BlobTarget } from './blob-target.ts';
import { type KnownLayer, remember, requireEqual, requireSameTar } from './known-layers.ts';

export interface LayerTools {
  readonly workers: LayerWorkers;
  readonly cache: DigestCache;
  readonly progress: LayerProgress;
  /** Layers are made even where nobody needs their bytes, so that they are verified. */
  readonly verify: boolean;
}

export interface BlobOptions {
  readonly compression: Compression;
  readonly tools: LayerTools;
}

/** A layer whose blob must be made. */
export interface NeededLayer {
  /** In the image. */
  readonly index: number;
  readonly layer: ImageLayer;
  readonly known: KnownLayer | undefined;
  /** Destinations that lack it. Perhaps none: then only its digest is wanted. */
  readonly receivers: readonly BlobTarget[];
}

/**
 * Gives the blobs in the order of `needed`.
 * @throws PhylloError LAYER_MISMATCH, FILE_CHANGED, FILE_UNREADABLE, DISK_FULL, DESTINATION_UNWRITABLE
 */
export async function makeBlobs(
  needed: readonly NeededLayer[],
  options: BlobOptions,
): Promise<readonly KnownLayer[]> {
  const made: KnownLayer[] = [];
  const finish = async (one: NeededLayer, stored: StoredLayer): Promise<void> => {
    made[needed.indexOf(one)] = await finishBlob(one, { ...options, stored });
  };
  await Promise.all(needed.map(({ layer }) => layer.prepare()));
  for (const { layer } of needed) {
    const { size } = await layer.prepare();
    options.tools.progress.expect({ label: layer.label, size });
  }
  const isCompressed = ({ layer }: NeededLayer): boolean =>
    options.compression.kind !== 'none' && layer.blob === undefined;
  // Where places depend on what came before, all layers go one by one.
  for (const run of runsOf(needed, isCompressed)) {
    const make = isCompressed(run[0] as NeededLayer) ? makeCompressed : makePlain;
    await make(run, { ...options, finish });
  }
  return made;
}

/** Neighbours that are made in the same way. */
function runsOf(
  needed: readonly NeededLayer[],
  isCompressed: (one: NeededLayer) => boolean,
): NeededLayer[][] {
  const runs: NeededLayer[][] = [];
  for (const one of needed) {
    const last = runs.at(-1)?.at(-1);
    const inOrder = one.receivers.some((target) => !target.anyOrder) && one.layer.blob !== undefined;
    if (last !== undefined && isCompressed(last) === isCompressed(one) && !inOrder) runs.at(-1)?.push(one);
    else runs.push([one]);
  }
  return runs;
}

interface MakeOptions extends BlobOptions {
  readonly finish: (one: NeededLayer, stored: StoredLayer) => Promise<void>;
}

async function makePlain(needed: readonly NeededLayer[], { tools, finish }: MakeOptions): Promise<void> {
  const layers = await Promise.all(
    needed.map(async (one) => ({
      ...(await one.layer.prepare()),
      places: await Promise.all(one.receivers.map((target) => target.open(one.index))),
      done: async ({ diffID, size }: LayerDigest) =>
        await finish(one, copiedBlob(one.layer, { diffID, size }) ?? plainBlob({ diffID, size })),
    })),
  );
  await makeLayers(layers, tools.workers);
}

/** A base layer's bytes are its blob's, compressed or not; what they are when unpacked is known from its config. */
function copiedBlob({ blob }: ImageLayer, { diffID, size }: LayerDigest): StoredLayer | undefined {
  return blob === undefined ? undefined : { ...blob, digest: diffID, size };
}

function plainBlob({ diffID, size }: LayerDigest): StoredLayer {
  return { diffID, tarSize: size, digest: diffID, size, mediaType: LAYER_MEDIA_TYPES.none };
}

/** The largest first and several at a time, unless a destination must have them in order. */
async function makeCompressed(
  needed: readonly NeededLayer[],
  { finish, ...options }: MakeOptions,
): Promise<void> {
  const anyOrder = needed.every(({ receivers }) => receivers.every((target) => target.anyOrder));
  const sizes = new Map(
    await Promise.all(needed.map(async (one) => [one, (await one.layer.prepare()).size] as const)),
  );
  const bySize = (left: NeededLayer, right: NeededLayer): number =>
    (sizes.get(right) ?? 0) - (sizes.get(left) ?? 0);
  const queue = anyOrder ? needed.toSorted(bySize) : [...needed];
  const makeNext = async (): Promise<void> => {
    for (let one = queue.shift(); one !== undefined; one = queue.shift()) {
      const { index, layer, receivers } = one;
      const places = await Promise.all(receivers.map((target) => target.open(index)));
      await finish(one, await compressTo(layer, { ...options, places }));
    }
  };
  await Promise.all(Array.from({ length: anyOrder ? options.tools.workers.count : 1 }, makeNext));
}

/** Where a compressed layer's bytes go. */
interface BlobDestination {
  readonly places?: readonly FilePosition[];
  readonly take?: TakeBytes;
}

/** Compresses one layer. */
export async function compressTo(
  layer: ImageLayer,
  { compression, tools, ...output }: BlobOptions & BlobDestination,
): Promise<StoredLayer> {
  if (compression.kind === 'none') throw new TypeError('no encoder');
  const { source } = await layer.prepare();
  const encoder = encoderFor(compression);
  const blob = await compressLayer(source, { encoder, workers: tools.workers, ...output });
  return { ...blob, mediaType: LAYER_MEDIA_TYPES[compression.kind] };
}

async function finishBlob(
  { index, layer, known, receivers }: NeededLayer,
  { stored, compression, tools }: BlobOptions & { readonly stored: StoredLayer },
): Promise<KnownLayer> {
  requireEqual(layer, { made: stored, known });
  requireSameTar(layer, { made: stored, cache: tools.cache });
  const { size, warnings } = await layer.prepare();
  if (size !== stored.tarSize) throw sizeChanged(layer);
  for (const target of receivers) await target.close(index, stored);
  tools.progress.finish(layer.label);
  const made = { ...stored, warnings };
  remember(layer, made, { cache: tools.cache, compression });
  return made;
}

function sizeChanged({ history }: ImageLayer): PhylloError {
  return new PhylloError(
    'FILE_CHANGED',
    `a layer came out in another size than its files had (${history.comment})`,
    {
      hint: 'store paths must not be written to; run again',
    },
  );
}
