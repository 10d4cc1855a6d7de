/** Makes the blobs of layers that somebody needs: to their places at all destinations at once, compared with what was known. */
import { PhylloError } from '../errors.ts';
import type { ImageLayer } from '../image/image.ts';
import { LAYER_MEDIA_TYPES } from '../image/media-types.ts';
import { createChunkRing } from '../layer/chunk-ring.ts';
import { type FilePosition, writeToPlaces } from '../layer/chunk-sink.ts';
import { compressLayer, type TakeBytes } from '../layer/compress-layer.ts';
import type { DigestCache } from '../layer/digest-cache.ts';
import { type Compression, encoderFor } from '../layer/encoder.ts';
import type { LayerDigest } from '../layer/layer-source.ts';
import type { LayerWorkers } from '../layer/layer-workers.ts';
import type { LayerProgress } from '../layer/progress.ts';
import { makeLayers } from '../layer/make-layers.ts';
import type { StoredLayer } from '../layer/stored-layer.ts';
import type { BlobPlace, BlobTarget } from './blob-target.ts';
import { type KnownLayer, remember, requireEqual, requireSameTar } from './known-layers.ts';
import { copyLayer, sendThrough } from './ring-copy.ts';

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
 * Gives the blobs in the order of `needed`. When it throws nobody writes any more.
 * @throws PhylloError LAYER_MISMATCH, FILE_CHANGED, FILE_UNREADABLE, DISK_FULL, DESTINATION_UNWRITABLE, and what receivers throw
 */
export async function makeBlobs(
  needed: readonly NeededLayer[],
  options: BlobOptions,
): Promise<readonly KnownLayer[]> {
  const made: KnownLayer[] = [];
  const done = (one: NeededLayer, layer: KnownLayer): void => {
    made[needed.indexOf(one)] = layer;
  };
  await Promise.all(needed.map(({ layer }) => layer.prepare()));
  for (const { layer } of needed) {
    const { size } = await layer.prepare();
    options.tools.progress.expect({ label: layer.label, size });
  }
  const isCompressed = ({ layer }: NeededLayer): boolean =>
    options.compression.kind !== 'none' && layer.blob === undefined;
  const stop = new AbortController();
  try {
    // Where places depend on what came before, all layers go one by one.
    for (const run of runsOf(needed, isCompressed)) {
      const make = isCompressed(run[0] as NeededLayer) ? makeCompressed : makePlain;
      await make(run, { ...options, done, stopped: stop.signal });
    }
  } catch (error) {
    stop.abort(error);
    // Nobody must write to what is discarded next.
    await options.tools.workers.close();
    throw error;
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
  readonly done: (one: NeededLayer, layer: KnownLayer) => void;
  /** Aborted when another layer has failed. */
  readonly stopped: AbortSignal;
}

/** Workers write to files themselves, all layers side by side; what is sent comes through rings. */
async function makePlain(needed: readonly NeededLayer[], options: MakeOptions): Promise<void> {
  const isSent = ({ receivers }: NeededLayer): boolean => receivers.some(({ takes }) => takes === 'chunks');
  await makeFiles(
    needed.filter((one) => !isSent(one)),
    options,
  );
  await makeInChunks(needed.filter(isSent), { ...options, lanes: options.tools.workers.count, make: copyTo });
}

async function makeFiles(needed: readonly NeededLayer[], options: MakeOptions): Promise<void> {
  const layers = await Promise.all(
    needed.map(async (one) => ({
      ...(await one.layer.prepare()),
      places: (await openPlaces(one, one.receivers)).filter((place) => place.kind === 'file'),
      done: async (made: LayerDigest) =>
        await finishBlob(one, { ...options, stored: blobOf(one.layer, made), make: copyTo }),
    })),
  );
  await makeLayers(layers, options.tools.workers);
}

/** The largest first and several at a time, unless a destination must have them in order. */
async function makeCompressed(needed: readonly NeededLayer[], options: MakeOptions): Promise<void> {
  await makeInChunks(needed, { ...options, lanes: options.tools.workers.count, make: compressTo });
}

/** Where a layer's bytes go. */
interface BlobDestination {
  readonly places?: readonly FilePosition[];
  /** Its bytes may be overwritten once it is done with them. */
  readonly take?: TakeBytes | undefined;
}

type MakeBytes = (layer: ImageLayer, options: BlobOptions & BlobDestination) => Promise<StoredLayer>;

interface ChunkOptions extends MakeOptions {
  /** Layers that are made at a time. */
  readonly lanes: number;
  readonly make: MakeBytes;
}

/** Blobs that are made and wait for their receivers to be done, while others are made. */
const MAX_CLOSING = 8;

async function makeInChunks(
  needed: readonly NeededLayer[],
  { lanes, ...options }: ChunkOptions,
): Promise<void> {
  const anyOrder = needed.every(({ receivers }) => receivers.every((target) => target.anyOrder));
  const queue = anyOrder ? await largestFirst(needed) : [...needed];
  const closing = new Set<Promise<void>>();
  const makeNext = async (): Promise<void> => {
    for (let one = queue.shift(); one !== undefined; one = queue.shift()) {
      const stored = await makeFor(one, { ...options, receivers: one.receivers });
      const closed = finishBlob(one, { ...options, stored });
      closing.add(closed);
      closed.then(
        () => closing.delete(closed),
        () => undefined,
      );
      if (!anyOrder) await closed;
      else if (closing.size >= MAX_CLOSING) await Promise.race(closing);
    }
  };
  await Promise.all(Array.from({ length: anyOrder ? lanes : 1 }, makeNext));
  await Promise.all(closing);
}

async function largestFirst(needed: readonly NeededLayer[]): Promise<NeededLayer[]> {
  const sized = await Promise.all(
    needed.map(async (one) => ({ one, size: (await one.layer.prepare()).size })),
  );
  return sized.toSorted((left, right) => right.size - left.size).map(({ one }) => one);
}

/** Makes a layer's blob for some of its receivers. */
async function makeFor(
  one: NeededLayer,
  { receivers, make, stopped, ...options }: Omit<ChunkOptions, 'lanes'> & Pick<NeededLayer, 'receivers'>,
): Promise<StoredLayer> {
  const places = await openPlaces(one, receivers);
  const streams = places.filter((place) => place.kind === 'stream');
  const take = async (bytes: Uint8Array): Promise<void> => {
    stopped.throwIfAborted();
    const own = Buffer.from(bytes);
    await Promise.all(streams.map((stream) => stream.write(own)));
  };
  return await make(one.layer, {
    ...options,
    places: places.filter((place) => place.kind === 'file'),
    take: streams.length === 0 ? undefined : take,
  });
}

async function openPlaces(
  { index, known }: NeededLayer,
  receivers: readonly BlobTarget[],
): Promise<BlobPlace[]> {
  return await Promise.all(receivers.map((target) => target.open(index, known)));
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

/** Copies one layer as it is. */
async function copyTo(
  layer: ImageLayer,
  { tools, places = [], take }: BlobOptions & BlobDestination,
): Promise<StoredLayer> {
  const transit = await sendThrough(createChunkRing(), { layer, ...tools });
  let at = 0;
  const digest = await copyLayer(transit, (bytes) => {
    writeToPlaces(places, bytes, at);
    at += bytes.length;
    return take?.(bytes);
  });
  return blobOf(layer, digest);
}

/** A base layer's bytes are its blob's, compressed or not; what they are when unpacked is known from its config. */
function blobOf({ blob }: ImageLayer, { diffID, size }: LayerDigest): StoredLayer {
  if (blob !== undefined) return { ...blob, digest: diffID, size };
  return { diffID, tarSize: size, digest: diffID, size, mediaType: LAYER_MEDIA_TYPES.none };
}

async function finishBlob(
  one: NeededLayer,
  { stored, done, ...options }: Omit<ChunkOptions, 'lanes'> & { readonly stored: StoredLayer },
): Promise<void> {
  const { layer, known, receivers } = one;
  const { compression, tools } = options;
  requireEqual(layer, { made: stored, known });
  requireSameTar(layer, { made: stored, cache: tools.cache });
  const { size, isEstimate = false, warnings } = await layer.prepare();
  if (!isEstimate && size !== stored.tarSize) throw sizeChanged(layer);
  const again = await closeAll(one, { stored, receivers });
  for (
    let missing = again;
    missing.length > 0;
    missing = await closeAll(one, { stored, receivers: missing })
  ) {
    const remade = await makeFor(one, { ...options, done, receivers: missing });
    requireEqual(layer, { made: remade, known: stored });
  }
  tools.progress.finish(layer.label);
  const made = { ...stored, warnings };
  remember(layer, made, { cache: tools.cache, compression });
  done(one, made);
}

/** Those that must have the blob once more. */
async function closeAll(
  { index }: NeededLayer,
  { stored, receivers }: Pick<NeededLayer, 'receivers'> & { readonly stored: StoredLayer },
): Promise<readonly BlobTarget[]> {
  const outcomes = await Promise.all(receivers.map((target) => target.close(index, stored)));
  return receivers.filter((_, i) => outcomes[i] === 'again');
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
