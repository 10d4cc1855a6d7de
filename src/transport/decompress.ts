/** Recognises and undoes compression by what the bytes begin with: names and media types are often wrong. */
import { Readable } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import xz from 'xz-decompress';
import { PhylloError, reasonOf } from '../errors.ts';
import { decompressBzip2 } from './bzip2.ts';
import { type FileSlice, readSlice, sliceChunks } from './file-slice.ts';

export type Compression = 'none' | 'gzip' | 'zstd' | 'xz' | 'bzip2';

const MAGICS: readonly (readonly [Compression, string])[] = [
  ['gzip', '1f8b08'],
  ['zstd', '28b52ffd'],
  ['xz', 'fd377a585a00'],
  ['bzip2', '425a68'],
];
const LONGEST_MAGIC = 6;
const CHUNK_BYTES = 256 * 1024;

/** @throws PhylloError FILE_UNREADABLE */
export function compressionOf(slice: FileSlice): Compression {
  const start = readSlice(slice, 0, LONGEST_MAGIC).toString('hex');
  return MAGICS.find(([, magic]) => start.startsWith(magic))?.[0] ?? 'none';
}

/**
 * The slice's bytes without its compression, a chunk at a time.
 * @throws PhylloError ARCHIVE_INVALID when it cannot be decompressed; FILE_UNREADABLE
 */
export async function* decompressed(slice: FileSlice): AsyncGenerator<Uint8Array, void, undefined> {
  const compression = compressionOf(slice);
  try {
    yield* decompress(slice, compression);
  } catch (cause) {
    if (cause instanceof PhylloError) throw cause;
    throw new PhylloError(
      'ARCHIVE_INVALID',
      `cannot decompress ${slice.file} (${compression}): ${reasonOf(cause)}`,
      { hint: 'the file is damaged or not whole: make or download it again', cause },
    );
  }
}

function decompress(
  slice: FileSlice,
  compression: Compression,
): AsyncIterable<Uint8Array> | Iterable<Uint8Array> {
  switch (compression) {
    case 'none':
      return sliceChunks(slice);
    case 'gzip':
      return through(slice, createGunzip({ chunkSize: CHUNK_BYTES }));
    case 'zstd':
      return through(slice, createZstdDecompress({ chunkSize: CHUNK_BYTES }));
    case 'xz':
      return new xz.XzReadableStream(ReadableStream.from<Uint8Array>(sliceChunks(slice)));
    case 'bzip2':
      return decompressBzip2(pullFrom(slice));
    default:
      throw new TypeError('unknown compression');
  }
}

async function* through(
  slice: FileSlice,
  stream: NodeJS.ReadWriteStream & AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const input = Readable.from(sliceChunks(slice));
  // Errors of the input must reach whoever reads the output.
  input.on('error', (error) => stream.emit('error', error));
  try {
    yield* input.pipe(stream) as AsyncIterable<Uint8Array>;
  } finally {
    input.destroy();
  }
}

function pullFrom(slice: FileSlice): () => Uint8Array | undefined {
  let at = 0;
  return () => {
    const chunk = readSlice(slice, at, CHUNK_BYTES);
    at += chunk.length;
    return chunk.length === 0 ? undefined : chunk;
  };
}
