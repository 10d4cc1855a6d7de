/**
 * An archive as a stream. A member's name is its digest, so digests come first: the layers are made twice, once to learn
 * their digests and once to be sent, and nothing is stored. What is sent is hashed again and must be the same.
 */
import type { Writable } from 'node:stream';
import { PhylloError, reasonOf, systemErrorCode } from '../errors.ts';
import type { Image, ImageDocuments, ImageLayer } from '../image/image.ts';
import type { ImageReference } from '../image/image-reference.ts';
import { type ChunkRing, createChunkRing, RingReader } from '../layer/chunk-ring.ts';
import type { LayerDigest } from '../layer/layer-source.ts';
import type { LayerWorkers } from '../layer/layer-workers.ts';
import { encodeDocuments, layerHeader, layoutArchive } from './archive-layout.ts';

export interface StreamRequest {
  readonly image: Image;
  readonly documents: ImageDocuments;
  readonly digests: readonly LayerDigest[];
  readonly reference: ImageReference;
  readonly workers: LayerWorkers;
  /** Layers that are made ahead at once, at least one. */
  readonly jobs: number;
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
  const { layers } = request.image;
  const rings = Array.from({ length: Math.min(request.jobs, layers.length) }, createChunkRing);
  const made = new Map<number, LayerInTransit>();
  const start = (index: number): void => {
    const layer = layers[index];
    if (layer !== undefined)
      made.set(index, new LayerInTransit(layer, rings[index % rings.length] as ChunkRing, request.workers));
  };
  for (const index of rings.keys()) start(index);
  for (const [index, digest] of request.digests.entries()) {
    const layer = made.get(index) as LayerInTransit;
    made.delete(index);
    await writer.write(layerHeader({ digest: digest.diffID, size: digest.size }));
    await layer.copyTo(writer);
    requireEqual(await layer.digest, { expected: digest, layer: layers[index] as ImageLayer });
    start(index + rings.length);
  }
}

/** A layer that a worker makes while it is sent. */
class LayerInTransit {
  readonly digest: Promise<LayerDigest>;
  readonly #reader: RingReader;
  /** Lengths of chunks that are announced and not yet sent. */
  readonly #announced: number[] = [];
  #ended = false;
  #wake: () => void = () => undefined;

  constructor({ source }: ImageLayer, ring: ChunkRing, workers: LayerWorkers) {
    this.#reader = new RingReader(ring);
    this.digest = workers.run({ kind: 'write', layer: source, to: { kind: 'ring', ring } }, (length) => {
      this.#announced.push(length);
      this.#wake();
    });
    // Whoever waits for the digest hears of a failure; until then it must not count as unhandled.
    this.digest.catch(() => undefined).finally(() => this.#end());
  }

  async copyTo(writer: ChunkWriter): Promise<void> {
    for (;;) {
      const length = this.#announced.shift();
      if (length !== undefined) {
        await writer.write(this.#reader.take(length));
        this.#reader.release();
      } else if (this.#ended) {
        return;
      } else {
        await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    }
  }

  #end(): void {
    this.#ended = true;
    this.#wake();
  }
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

function outputError(cause: unknown): PhylloError {
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
