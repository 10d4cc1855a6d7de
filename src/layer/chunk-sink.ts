/**
 * Where a layer's bytes go, chunk by chunk. A writer fills `buffer` and commits what it filled, so that a file's content is
 * read straight to where it is hashed and handed on: nothing is copied on the way.
 */
import { createHash } from 'node:crypto';
import { writeSync } from 'node:fs';
import { type Digest, finishDigest } from '../digest.ts';
import type { ByteCounter } from './progress.ts';
import { PhylloError, reasonOf, systemErrorCode } from '../errors.ts';

/**
 * Small enough for a processor's cache, large enough that calls do not count.
 */
export const CHUNK_SIZE = 256 * 1024;

export interface ChunkSink {
  /** Space for the next chunk. Another one, perhaps, after each commit. */
  readonly buffer: Buffer;
  /** Takes the first `length` bytes of `buffer`. Blocks while whoever takes them is slower. */
  commit(length: number): void;
}

/** A file that is open for writing, and the place in it where the bytes go. */
export interface FilePosition {
  /** Name for messages. */
  readonly file: string;
  readonly fd: number;
  /** Byte offset; up to 2^53. */
  readonly offset: number;
}

/** Writes to the given places, all of them the same bytes, and hashes them. */
export class FileSink implements ChunkSink {
  readonly buffer = Buffer.allocUnsafeSlow(CHUNK_SIZE);
  readonly #places: readonly FilePosition[];
  readonly #hash = createHash('sha256');
  #written = 0;

  constructor(places: readonly FilePosition[]) {
    this.#places = places;
  }

  commit(length: number): void {
    const chunk = this.buffer.subarray(0, length);
    this.#hash.update(chunk);
    writeToPlaces(this.#places, chunk, this.#written);
    this.#written += length;
  }

  /** Digest of all that was committed. The sink is of no use afterwards. */
  digest(): Digest {
    return finishDigest(this.#hash);
  }
}

/** Counts what goes into another sink. */
export class CountingSink implements ChunkSink {
  readonly #sink: ChunkSink;
  readonly #counter: ByteCounter;

  constructor(sink: ChunkSink, counter: ByteCounter) {
    this.#sink = sink;
    this.#counter = counter;
  }

  get buffer(): Buffer {
    return this.#sink.buffer;
  }

  commit(length: number): void {
    this.#sink.commit(length);
    Atomics.add(this.#counter, 0, BigInt(length));
  }
}

/** @param at byte offset from each place */
export function writeToPlaces(places: readonly FilePosition[], chunk: Uint8Array, at: number): void {
  for (const place of places) writeFully(place, chunk, place.offset + at);
}

/** @throws PhylloError DISK_FULL, DESTINATION_UNWRITABLE */
export function writeFully(
  { file, fd }: Pick<FilePosition, 'file' | 'fd'>,
  bytes: Uint8Array,
  offset: number,
): void {
  try {
    for (let at = 0; at < bytes.length;) {
      at += writeSync(fd, bytes, at, bytes.length - at, offset + at);
    }
  } catch (cause) {
    throw writeError(file, cause);
  }
}

/** What a failed write to `file` means to the user. */
export function writeError(file: string, cause: unknown): PhylloError {
  const code = systemErrorCode(cause);
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new PhylloError('DISK_FULL', `cannot write ${file}: no space is left on its disk`, {
      hint: 'nothing was left behind; make room or choose another place, and run again',
      cause,
    });
  }
  return new PhylloError('DESTINATION_UNWRITABLE', `cannot write ${file}: ${reasonOf(cause)}`, { cause });
}
