/** Runs of bytes in open files: how archives are read without taking them apart. */
import { read as readCallback, readSync } from 'node:fs';
import { promisify } from 'node:util';
import { PhylloError, reasonOf } from '../errors.ts';
import type { FilePosition } from '../layer/chunk-sink.ts';

/** `size` bytes from `offset`. Worker threads share file descriptors, so that a slice is a message that they understand. */
export interface FileSlice extends FilePosition {
  /** Bytes; up to 2^53. */
  readonly size: number;
}

const CHUNK_BYTES = 256 * 1024;
const read = promisify(readCallback);

/** `length` bytes from `at` on, fewer where the slice ends. @throws PhylloError FILE_UNREADABLE */
export function readSlice(slice: FileSlice, at: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(Math.max(0, Math.min(length, slice.size - at)));
  for (let filled = 0; filled < bytes.length;) {
    const count = readAt(slice, { bytes, filled, at });
    if (count === 0) return bytes.subarray(0, filled);
    filled += count;
  }
  return bytes;
}

/**
 * All bytes, in chunks of their own memory. The file stays open.
 * @throws PhylloError FILE_UNREADABLE, also when the file has become shorter
 */
export async function* sliceChunks(slice: FileSlice): AsyncGenerator<Buffer, void, undefined> {
  for (let at = 0; at < slice.size;) {
    const bytes = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, slice.size - at));
    const { bytesRead } = await read(slice.fd, bytes, 0, bytes.length, slice.offset + at).catch(
      (cause: unknown) => {
        throw unreadable(slice, cause);
      },
    );
    if (bytesRead === 0) throw unreadable(slice, new Error('it became shorter while it was read'));
    yield bytes.subarray(0, bytesRead);
    at += bytesRead;
  }
}

/** A part of a slice. @throws RangeError when it is not within */
export function partOf(slice: FileSlice, offset: number, size: number): FileSlice {
  if (offset < 0 || size < 0 || offset + size > slice.size) throw new RangeError('not a part of the slice');
  return { ...slice, offset: slice.offset + offset, size };
}

function readAt(
  slice: FileSlice,
  { bytes, filled, at }: { readonly bytes: Buffer; readonly filled: number; readonly at: number },
): number {
  try {
    return readSync(slice.fd, bytes, filled, bytes.length - filled, slice.offset + at + filled);
  } catch (cause) {
    throw unreadable(slice, cause);
  }
}

function unreadable({ file }: FileSlice, cause: unknown): PhylloError {
  return new PhylloError('FILE_UNREADABLE', `cannot read ${file}: ${reasonOf(cause)}`, { cause });
}
