/** Recognises and undoes compression by what the bytes begin with: names and media types are often wrong. */
import { type Compression, decompress } from '../compression/decompress.ts';
import { PhylloError, reasonOf } from '../errors.ts';
import { type FileSlice, readSlice, sliceChunks } from './file-slice.ts';

export type { Compression };

const MAGICS: readonly (readonly [Compression, string])[] = [
  ['gzip', '1f8b08'],
  ['zstd', '28b52ffd'],
  ['xz', 'fd377a585a00'],
  ['bzip2', '425a68'],
];
const LONGEST_MAGIC = 6;

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
    yield* decompress(sliceChunks(slice), compression);
  } catch (cause) {
    if (cause instanceof PhylloError) throw cause;
    throw new PhylloError(
      'ARCHIVE_INVALID',
      `cannot decompress ${slice.file} (${compression}): ${reasonOf(cause)}`,
      { hint: 'the file is damaged or not whole: make or download it again', cause },
    );
  }
}
