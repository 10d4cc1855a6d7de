/** A NAR's tree laid by: its entries in memory, its files' contents in a temporary file, to be told in tar order. */
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PhylloError, reasonOf, systemErrorCode } from '../errors.ts';
import { readNar } from './nar-file.ts';
import type { TreeVisitor } from './nar-reader.ts';
import { inTarOrder } from './tree-order.ts';
import type { NarSource, TreeEntry } from './tree.ts';

interface SpooledEntry {
  readonly entry: TreeEntry;
  /** Where a file's contents begin in the temporary file. */
  readonly offset: number;
}

const CHUNK_BYTES = 256 * 1024;

/**
 * Reads the whole NAR, verified. The caller disposes of the spool.
 * @throws PhylloError NAR_INVALID, NAR_MISMATCH, FILE_UNREADABLE; DISK_FULL or DESTINATION_UNWRITABLE for the temporary file
 */
export async function spoolNar(source: NarSource): Promise<NarSpool> {
  const spool = new NarSpool(openUnlinked());
  try {
    await readNar(source, spool);
    return spool;
  } catch (error) {
    spool[Symbol.dispose]();
    throw error;
  }
}

/** Filled as a visitor, then told with `visit`. Owns the file. */
export class NarSpool implements TreeVisitor, Disposable {
  readonly #file: number;
  readonly #entries: SpooledEntry[] = [];
  #size = 0;

  constructor(file: number) {
    this.#file = file;
  }

  entry(entry: TreeEntry): void {
    this.#entries.push({ entry, offset: this.#size });
  }

  data(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length;) {
      const rest = chunk.subarray(at);
      at += spooling(() => writeSync(this.#file, rest, 0, rest.length, this.#size + at));
    }
    this.#size += chunk.length;
  }

  /** Tells all entries but the first `skip` in tar order, with their contents. */
  visit(visitor: TreeVisitor, skip: number): void {
    for (const { entry, offset } of inTarOrder(this.#entries).slice(skip)) {
      visitor.entry(entry);
      if (entry.kind === 'file') this.#visitContents(visitor, { offset, size: entry.size });
    }
  }

  [Symbol.dispose](): void {
    closeSync(this.#file);
  }

  #visitContents(
    visitor: TreeVisitor,
    { offset, size }: { readonly offset: number; readonly size: number },
  ): void {
    const chunk = Buffer.allocUnsafe(Math.min(size, CHUNK_BYTES));
    for (let at = 0; at < size;) {
      const length = Math.min(chunk.length, size - at);
      const read = spooling(() => readSync(this.#file, chunk, 0, length, offset + at));
      if (read === 0) throw new Error('the temporary file of a NAR lost its end');
      visitor.data(chunk.subarray(0, read));
      at += read;
    }
  }
}

/** A new file without a name, which is gone when it is closed, however the program ends. */
function openUnlinked(): number {
  return spooling(() => {
    const directory = mkdtempSync(join(tmpdir(), 'phyllo-nar-'));
    try {
      return openSync(join(directory, 'contents'), 'wx+', 0o600);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
}

function spooling<T>(act: () => T): T {
  try {
    return act();
  } catch (cause) {
    const full = systemErrorCode(cause) === 'ENOSPC';
    throw new PhylloError(
      full ? 'DISK_FULL' : 'DESTINATION_UNWRITABLE',
      `cannot keep a NAR's contents in ${tmpdir()} for a while: ${reasonOf(cause)}`,
      { hint: 'name a directory with more room in TMPDIR', cause },
    );
  }
}
