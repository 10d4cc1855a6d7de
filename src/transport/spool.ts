/** Bytes laid by in a private temporary file that has no name, so that nothing is left behind however the process ends. */
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { PhylloError, reasonOf } from '../errors.ts';
import { writeFully } from '../layer/chunk-sink.ts';
import type { FileSlice } from './file-slice.ts';

/** More than any image that a runtime takes, less than what would fill a disk for days. */
const DEFAULT_LIMIT_BYTES = 256 * 2 ** 30;

export interface SpoolOptions {
  /** What the bytes are, for messages. */
  readonly name: string;
  /** Bytes; above it is an error. */
  readonly limit?: number;
  readonly signal?: AbortSignal;
}

export class Spool implements Disposable {
  readonly slice: FileSlice;

  private constructor(slice: FileSlice) {
    this.slice = slice;
  }

  /**
   * Lays `chunks` by. The caller disposes of the spool.
   * @throws PhylloError ARCHIVE_INVALID above the limit; DISK_FULL, DESTINATION_UNWRITABLE for the temporary file; what `chunks` throws
   */
  static async fill(chunks: AsyncIterable<Uint8Array>, options: SpoolOptions): Promise<Spool> {
    const { name, limit = DEFAULT_LIMIT_BYTES, signal } = options;
    const fd = openUnlinked();
    try {
      let size = 0;
      for await (const chunk of chunks) {
        if (size + chunk.length > limit) throw tooLarge(name, limit);
        writeFully({ file: `a temporary file for ${name}`, fd }, chunk, size);
        size += chunk.length;
        // What decompresses without waiting for anything would keep signals out.
        await setImmediate();
        signal?.throwIfAborted();
      }
      return new Spool({ file: name, fd, offset: 0, size });
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }

  [Symbol.dispose](): void {
    closeSync(this.slice.fd);
  }
}

function openUnlinked(): number {
  try {
    const directory = mkdtempSync(join(tmpdir(), 'phyllo-'));
    try {
      return openSync(join(directory, 'spool'), 'wx+', 0o600);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  } catch (cause) {
    throw new PhylloError(
      'DESTINATION_UNWRITABLE',
      `cannot make a temporary file in ${tmpdir()}: ${reasonOf(cause)}`,
      { hint: 'set TMPDIR to a directory that can be written to', cause },
    );
  }
}

function tooLarge(name: string, limit: number): PhylloError {
  return new PhylloError('ARCHIVE_INVALID', `${name} decompresses to more than ${limit} bytes`);
}
