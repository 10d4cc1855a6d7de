/** Puts the files of a NAR on disk, for a layer that holds copies of them. */
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { writeError, writeFully } from '../layer/chunk-sink.ts';
import { systemPath } from '../store/directory-tree.ts';
import type { TreeVisitor } from '../store/nar-reader.ts';
import { visitNar } from '../store/nar-tree.ts';
import type { NarSource, TreeEntry } from '../store/tree.ts';

/**
 * Links are left out, and modes are those of new files: whoever reads the files has both from the tree's listing.
 * @param place latin1; must not exist
 * @throws PhylloError NAR_INVALID, NAR_MISMATCH, FILE_UNREADABLE, DISK_FULL, DESTINATION_UNWRITABLE
 */
export async function unpackNar(source: NarSource, place: string): Promise<void> {
  using files = new FileWriter(place);
  await visitNar(source, files);
}

class FileWriter implements TreeVisitor, Disposable {
  readonly #place: string;
  #file: string;
  #fd: number | undefined;
  #written = 0;

  constructor(place: string) {
    this.#place = place;
    this.#file = place;
  }

  entry({ kind, path }: TreeEntry): void {
    this[Symbol.dispose]();
    this.#file = path === '' ? this.#place : `${this.#place}/${path}`;
    this.#written = 0;
    try {
      if (kind === 'directory') mkdirSync(systemPath(this.#file), { mode: 0o700 });
      if (kind === 'file') this.#fd = openSync(systemPath(this.#file), 'wx', 0o600);
    } catch (cause) {
      throw writeError(this.#file, cause);
    }
  }

  data(chunk: Uint8Array): void {
    writeFully({ file: this.#file, fd: this.#fd as number }, chunk, this.#written);
    this.#written += chunk.length;
  }

  [Symbol.dispose](): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }
}
