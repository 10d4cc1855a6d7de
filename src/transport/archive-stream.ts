/**
 * An archive as a stream. A member's name is its digest, so digests come first: the layers are made twice, once to learn
 * their digests and once to be sent, and nothing is stored. What is sent is hashed again and must be the same.
 */
import type { Writable } from 'node:stream';
import type { Digest } from '../digest.ts';
import { PhylloError, reasonOf, systemErrorCode } from '../errors.ts';
import type { ImageLayer } from '../image/image.ts';
import { type ChunkRing, createChunkRing } from '../layer/chunk-ring.ts';
import type { Compression } from '../layer/encoder.ts';
import type { StoredLayer } from '../layer/stored-layer.ts';
import { memberEnd } from './archive-layout.ts';
import type { ArchiveMembers } from './archive-members.ts';
import { requireEqual } from './known-layers.ts';
import { compressTo, type LayerTools } from './make-blobs.ts';
import { copyLayer, type LayerInTransit, sendThrough } from './ring-copy.ts';

export interface StreamRequest {
  /** Those that are in the archive, bottom to top. */
  readonly layers: readonly ImageLayer[];
  /** What they are, in the same order. */
  readonly stored: readonly StoredLayer[];
  /** Everything but the layers' bytes. */
  readonly members: ArchiveMembers;
  readonly compression: Compression;
  readonly tools: LayerTools;
}

/**
 * Writes the archive to `output` and leaves it open.
 * @throws PhylloError PIPE_CLOSED, DISK_FULL, DESTINATION_UNWRITABLE, LAYER_MISMATCH, FILE_CHANGED
 */
export async function streamArchive(output: Writable, request: StreamRequest): Promise<void> {
  const writer = new ChunkWriter(output);
  try {
    await (request.compression.kind === 'none'
      ? writeLayers(writer, request)
      : writeCompressed(writer, request));
    await writer.write(request.members.end);
  } finally {
    writer.release();
  }
}

/** Workers make the next layers while one is sent. */
async function writeLayers(
  writer: ChunkWriter,
  { layers, stored, members, tools }: StreamRequest,
): Promise<void> {
  const { workers } = tools;
  const rings = Array.from({ length: Math.min(workers.count, layers.length) }, () => createChunkRing());
  const transits: Promise<LayerInTransit>[] = [];
  const start = (index: number): void => {
    const layer = layers[index];
    if (layer === undefined) return;
    transits[index] = sendThrough(rings[index % rings.length] as ChunkRing, { layer, workers });
    transits[index].catch(() => undefined);
  };
  for (const index of rings.keys()) start(index);
  for (const [index, known] of stored.entries()) {
    await writer.write(members.header(index, known));
    const digest = await writeLayer(await (transits[index] as Promise<LayerInTransit>), writer);
    await writer.write(paddingOf(known));
    requireEqual(layers[index] as ImageLayer, { known, made: { ...known, digest } });
    start(index + rings.length);
  }
}

async function writeLayer(transit: LayerInTransit, writer: ChunkWriter): Promise<Digest> {
  const { diffID } = await copyLayer(transit, (bytes) => writer.write(bytes));
  return diffID;
}

async function writeCompressed(writer: ChunkWriter, request: StreamRequest): Promise<void> {
  const { layers, stored, members, compression, tools } = request;
  for (const [index, known] of stored.entries()) {
    const layer = layers[index] as ImageLayer;
    await writer.write(members.header(index, known));
    const made =
      layer.blob === undefined
        ? await compressTo(layer, { compression, tools, take: (bytes) => writer.write(bytes) })
        : {
            ...known,
            digest: await writeLayer(await sendThrough(createChunkRing(), { layer, ...tools }), writer),
          };
    await writer.write(paddingOf(known));
    requireEqual(layer, { known, made });
  }
}

/** Of a member's content to a full block. */
function paddingOf({ size }: StoredLayer): Buffer {
  return Buffer.alloc(memberEnd(0, size) - size);
}

/** Writes one chunk after the other and turns the stream's errors into ours. */
export class ChunkWriter {
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
  if (cause instanceof PhylloError) return cause;
  const code = systemErrorCode(cause);
  if (code === 'EPIPE' || code === 'ERR_STREAM_DESTROYED') {
    return new PhylloError('PIPE_CLOSED', 'the reader of the output went away before the archive was whole', {
      cause,
    });
  }
  const full = code === 'ENOSPC' || code === 'EDQUOT';
  return new PhylloError(
    full ? 'DISK_FULL' : 'DESTINATION_UNWRITABLE',
    `cannot write the output: ${reasonOf(cause)}`,
    {
      cause,
    },
  );
}
