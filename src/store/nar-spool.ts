/** A part of a NAR's tree laid by: its entries in memory, its files' contents in a temporary file, to be told in tar order. */
import { readSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { PhylloError, reasonOf, systemErrorCode } from '../errors.ts';
import type { TreeVisitor } from './nar-reader.ts';
import { TemporaryFile } from './temporary-file.ts';
import { inTarOrder } from './tree-order.ts';
import type { TreeEntry } from './tree.ts';

interface SpooledEntry {
  readonly entry: TreeEntry;
  /** Where a file's contents begin in the temporary file. */
  readonly offset: number;
}

const CHUNK_BYTES = 256 * 1024;

/** Filled as a visitor, then told with `visit`. @throws PhylloError DISK_FULL, DESTINATION_UNWRITABLE */
export class NarSpool implements TreeVisitor, Disposable {
  readonly #file = spooling(() => new TemporaryFile('phyllo-nar-'));
  readonly #entries: SpooledEntry[] = [];
  #size = 0;

  entry(entry: TreeEntry): void {
    this.#entries.push({ entry, offset: this.#size });
  }

  data(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length;) {
      const rest = chunk.subarray(at);
      at += spooling(() => writeSync(this.#file.fd, rest, 0, rest.length, this.#size + at));
    }
    this.#size += chunk.length;
  }

  /** Tells all entries in tar order, with their contents. */
  visit(visitor: TreeVisitor): void {
    for (const { entry, offset } of inTarOrder(this.#entries)) {
      visitor.entry(entry);
      if (entry.kind === 'file') this.#visitContents(visitor, { offset, size: entry.size });
    }
  }

  [Symbol.dispose](): void {
    this.#file[Symbol.dispose]();
  }

  #visitContents(
    visitor: TreeVisitor,
    { offset, size }: { readonly offset: number; readonly size: number },
  ): void {
    const chunk = Buffer.allocUnsafe(Math.min(size, CHUNK_BYTES));
    for (let at = 0; at < size;) {
      const length = Math.min(chunk.length, size - at);
      const read = spooling(() => readSync(this.#file.fd, chunk, 0, length, offset + at));
      if (read === 0) throw new Error('the temporary file of a NAR lost its end');
      visitor.data(chunk.subarray(0, read));
      at += read;
    }
  }
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
