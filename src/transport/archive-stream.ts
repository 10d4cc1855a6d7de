/**
 * An archive as a stream. A member's name is its digest, so digests come first: the layers are made twice, once to learn
 * their digests and once to be sent, and nothing is stored. What is sent is hashed again and must be the same.
 */
import { createHash } from 'node:crypto';
import type { Writable } from 'node:stream';
import { finishDigest } from '../digest.ts';
import { PhylloError, reasonOf, systemErrorCode } from '../errors.ts';
import type { Image, ImageDocuments, ImageLayer } from '../image/image.ts';
import type { ImageReference } from '../image/image-reference.ts';
import { type ChunkRing, createChunkRing, readRingAsync } from '../layer/chunk-ring.ts';
import type { LayerDigest, LayerSource } from '../layer/layer-source.ts';
import type { LayerWorkers } from '../layer/layer-workers.ts';
import { encodeDocuments, layerHeader, layoutArchive } from './archive-layout.ts';

export interface StreamRequest {
  readonly image: Image;
  readonly documents: ImageDocuments;
  readonly digests: readonly LayerDigest[];
  readonly reference: ImageReference;
  readonly workers: LayerWorkers;
}

/**
 * Writes the archive to `output` and leaves it open.
 * @throws PhylloError PIPE_CLOSED, DISK_FULL, DESTINATION_UNWRITABLE, FILE_CHANGED
 */
export async function streamArchive(output: Writable, request: StreamRequest): Promise<void> {
  const writer = new ChunkWriter(output);
  try {
    await writeLayers(writer, request);
    const { image, documents, reference } = request;
    const offset = layoutArchive(image.layers.map((layer) => layer.size)).documents;
    await writer.write(encodeDocuments(documents, { image, reference, offset }));
  } finally {
    writer.release();
  }
}

async function writeLayers(writer: ChunkWriter, request: StreamRequest): Promise<void> {
  const { image, digests, workers } = request;
  const rings = Array.from({ length: Math.min(workers.count, image.layers.length) }, createChunkRing);
  const transits: LayerInTransit[] = [];
  const start = (index: number): void => {
    const layer = image.layers[index];
    if (layer === undefined) return;
    transits[index] = sendThrough(rings[index % rings.length] as ChunkRing, {
      source: layer.source,
      workers,
    });
  };
  for (const index of rings.keys()) start(index);
  for (const [index, digest] of digests.entries()) {
    await writer.write(layerHeader({ digest: digest.diffID, size: digest.size }));
    const sent = await copyLayer(transits[index] as LayerInTransit, writer);
    requireEqual(sent, { expected: digest, layer: image.layers[index] as ImageLayer });
    start(index + rings.length);
  }
}

/** A layer that a worker makes while it is sent. */
interface LayerInTransit {
  readonly ring: ChunkRing;
  /** Settles when the worker is done. */
  readonly made: Promise<unknown>;
}

function sendThrough(
  ring: ChunkRing,
  { source, workers }: { readonly source: LayerSource; readonly workers: LayerWorkers },
): LayerInTransit {
  const made = workers.run({ kind: 'feed', layer: source, places: [], ring });
  // Whoever copies the layer hears of a failure; until then it must not count as unhandled.
  made.catch(() => undefined);
  return { ring, made };
}

/** Hashing here leaves the worker to read on: the main thread has nothing else to do. */
async function copyLayer({ ring, made }: LayerInTransit, writer: ChunkWriter): Promise<LayerDigest> {
  const hash = createHash('sha256');
  let size = 0;
  const copy = async (): Promise<void> => {
    for await (const chunk of readRingAsync(ring)) {
      hash.update(chunk);
      size += chunk.length;
      await writer.write(chunk);
    }
  };
  await Promise.all([made, copy()]);
  return { diffID: finishDigest(hash), size };
}

/** Writes one chunk after the other and turns the stream's errors into ours. */
class ChunkWriter {
  readonly #output: Writable;
  #failure: Error | undefined;
  readonly #onError = (error: Error): void => {
    this.#failure ??= error;
  };

  constructor(output: Writable) {
    this.#output = output;
    output.on('error', this.#onError);
  }

  /** Resolves when the stream has taken the bytes, which may be overwritten then. */
  async write(bytes: Uint8Array): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      if (this.#failure !== undefined) throw this.#failure;
      this.#output.write(bytes, (error) => (error ? reject(error) : resolve()));
    }).catch((cause: unknown) => {
      throw outputError(cause);
    });
  }

  release(): void {
    this.#output.off('error', this.#onError);
  }
}

/** What a failed write to a stream means to the user. */
export function outputError(cause: unknown): PhylloError {
  const code = systemErrorCode(cause);
  if (code === 'EPIPE' || code === 'ERR_STREAM_DESTROYED') {
    return new PhylloError('PIPE_CLOSED', 'the reader of the output went away before the archive was whole', {
      cause,
    });
  }
  const full = code === 'ENOSPC' || code === 'EDQUOT';
  return new PhylloError(
    full ? 'DISK_FULL' : 'DESTINATION_UNWRITABLE',
    `cannot write the archive: ${reasonOf(cause)}`,
    {
      cause,
    },
  );
}

function requireEqual(
  actual: LayerDigest,
  { expected, layer }: { readonly expected: LayerDigest; readonly layer: ImageLayer },
): void {
  if (actual.diffID === expected.diffID && actual.size === expected.size) return;
  throw new PhylloError(
    'FILE_CHANGED',
    `a layer changed while it was sent (${layer.history.comment}): it was ${expected.diffID}, and is ${actual.diffID}`,
    { hint: 'what was sent is not a whole archive; store paths must not be written to' },
  );
}
