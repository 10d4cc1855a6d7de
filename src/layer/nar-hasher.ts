/**
 * The NAR hash of a store path, from the entries and contents that go into its layer anyway: no file is read for it.
 *
 * @see Nix manual, "Nix Archive (NAR)"
 */
import { createHash } from 'node:crypto';
import { type Digest, finishDigest } from '../digest.ts';
import type { TreeEntry } from '../store/tree.ts';

const ALIGNMENT = 8;
const OWNER_EXECUTES = 0o100;

/** Entries come in a NAR's order: depth first, each directory's names bytewise. */
export class NarHasher {
  readonly #hash = createHash('sha256');
  /** Paths of the directories that are open, the innermost last. */
  readonly #open: string[] = [];

  constructor() {
    this.#texts('nix-archive-1');
  }

  /** A file's content must follow, by `content` and `endFile`. */
  entry(entry: TreeEntry): void {
    this.#closeDirectories(entry.path);
    if (entry.path !== '')
      this.#texts('entry', '(', 'name', entry.path.slice(entry.path.lastIndexOf('/') + 1), 'node');
    this.#texts('(', 'type');
    if (entry.kind === 'directory') {
      this.#texts('directory');
      this.#open.push(entry.path);
    } else if (entry.kind === 'symlink') {
      this.#texts('symlink', 'target', entry.target, ')');
      this.#endEntry(entry.path);
    } else {
      this.#texts('regular', ...((entry.mode & OWNER_EXECUTES) === 0 ? [] : ['executable', '']), 'contents');
      this.#length(entry.size);
    }
  }

  content(bytes: Uint8Array): void {
    this.#hash.update(bytes);
  }

  endFile({ path, size }: { readonly path: string; readonly size: number }): void {
    this.#pad(size);
    this.#texts(')');
    this.#endEntry(path);
  }

  /** The hasher is of no use afterwards. */
  finish(): Digest {
    while (this.#open.length > 0) this.#closeDirectory();
    return finishDigest(this.#hash);
  }

  #closeDirectories(path: string): void {
    const parent = path.slice(0, Math.max(path.lastIndexOf('/'), 0));
    while (this.#open.length > 0 && this.#open.at(-1) !== parent) this.#closeDirectory();
  }

  #closeDirectory(): void {
    this.#texts(')');
    this.#endEntry(this.#open.pop() as string);
  }

  #endEntry(path: string): void {
    if (path !== '') this.#texts(')');
  }

  #texts(...texts: readonly string[]): void {
    for (const text of texts) {
      this.#length(text.length);
      this.#hash.update(text, 'latin1');
      this.#pad(text.length);
    }
  }

  #length(length: number): void {
    const bytes = Buffer.alloc(ALIGNMENT);
    bytes.writeBigUInt64LE(BigInt(length));
    this.#hash.update(bytes);
  }

  #pad(length: number): void {
    this.#hash.update(Buffer.alloc((ALIGNMENT - (length % ALIGNMENT)) % ALIGNMENT));
  }
}
