/** Reads a NAR from its file: decompressed, and checked against what its path info promises. */
import { createHash } from 'node:crypto';
import { createReadStream, type ReadStream } from 'node:fs';
import { pipeline } from 'node:stream';
import { createZstdDecompress } from 'node:zlib';
import xz from 'xz-decompress';
import { finishDigest } from '../digest.ts';
import { PhylloError, reasonOf } from '../errors.ts';
import { NarReader, type TreeVisitor } from './nar-reader.ts';
import type { NarCompression, NarSource } from './tree.ts';

/** Large enough that a chunk's overhead does not show, small enough for a processor's cache. */
const READ_BYTES = 256 * 1024;

export interface ReadNarOptions {
  /** Asked after each chunk; true ends the reading without an error, and without a verdict on the NAR. */
  readonly stopped?: () => boolean;
}

/**
 * Tells `visitor` the tree in the NAR's order, with memory for a few chunks. What it is told is verified only when the
 * promise resolves.
 *
 * @throws PhylloError FILE_UNREADABLE; NAR_INVALID when it cannot be decompressed or is not a NAR; NAR_MISMATCH when size or
 *   hash differ from the path info's; and what the visitor throws, which ends the reading
 */
export async function readNar(
  source: NarSource,
  visitor: TreeVisitor,
  { stopped = () => false }: ReadNarOptions = {},
): Promise<void> {
  const reader = new NarReader({ visitor, name: source.location });
  for await (const chunk of verified(source)) {
    reader.push(chunk);
    if (stopped()) return;
  }
  reader.end();
}

/** Ends with an error as soon as there is more than `narSize`, so that a small file cannot unfold without end. */
async function* verified(source: NarSource): AsyncGenerator<Uint8Array, void, undefined> {
  const hash = createHash('sha256');
  let size = 0;
  for await (const chunk of decompressed(source)) {
    size += chunk.length;
    if (size > source.narSize) throw mismatch(source, `it has more than ${source.narSize} bytes`);
    hash.update(chunk);
    yield chunk;
  }
  if (size < source.narSize) throw mismatch(source, `it has ${size} bytes instead of ${source.narSize}`);
  const narHash = finishDigest(hash);
  if (narHash !== source.narHash) throw mismatch(source, `it has ${narHash} instead of ${source.narHash}`);
}

/** The file is closed when this ends, however it ends. */
async function* decompressed(source: NarSource): AsyncGenerator<Uint8Array, void, undefined> {
  const file = createReadStream(source.location, { highWaterMark: READ_BYTES });
  // Whoever reads the stream is told of errors; this is for one that comes before anybody does.
  file.on('error', () => undefined);
  try {
    yield* decompress(file, source.compression);
  } catch (cause) {
    throw unreadable(source, cause);
  } finally {
    await close(file);
  }
}

function decompress(file: ReadStream, compression: NarCompression): AsyncIterable<Uint8Array> {
  if (compression === 'none') return file;
  if (compression === 'xz') return new xz.XzReadableStream(ReadableStream.from<Uint8Array>(file));
  // Whoever reads the last stream is told of every stream's errors: the callback has nothing to add.
  return pipeline(file, createZstdDecompress({ chunkSize: READ_BYTES }), () => undefined);
}

async function close(file: ReadStream): Promise<void> {
  if (file.closed) return;
  const closed = new Promise<void>((resolve) => file.once('close', resolve));
  file.destroy();
  await closed;
}

function unreadable({ location, compression }: NarSource, cause: unknown): PhylloError {
  if (cause instanceof Error && 'syscall' in cause)
    return new PhylloError('FILE_UNREADABLE', `cannot read ${location}: ${reasonOf(cause)}`, {
      hint: 'a binary cache has the NAR beside each .narinfo: copy the whole cache',
      cause,
    });
  return new PhylloError(
    'NAR_INVALID',
    `cannot decompress ${location} (${compression}): ${reasonOf(cause)}`,
    {
      hint: 'the file is damaged, or compressed in another way than its .narinfo says: copy it again',
      cause,
    },
  );
}

function mismatch({ location }: NarSource, difference: string): PhylloError {
  return new PhylloError(
    'NAR_MISMATCH',
    `${location} is not the NAR that its path info describes: ${difference}`,
    {
      hint: 'the file is damaged or was replaced: copy it again from where it came from',
    },
  );
}
