/**
 * Checks a NAR of one file whose path is the address of the file's contents: flat fixed outputs, and texts.
 *
 * @see Nix manual, "Content-Addressing Store Objects", methods flat and text
 */
import { createHash } from 'node:crypto';
import { type Digest, finishDigest } from '../digest.ts';
import type { TreeVisitor } from './nar-reader.ts';
import type { TreeEntry } from './tree.ts';

const EXECUTE = 0o111;

/** Tells another visitor everything. */
export class ContentCheck implements TreeVisitor {
  readonly #visitor: TreeVisitor;
  readonly #hash = createHash('sha256');
  #isPlain = true;

  constructor(visitor: TreeVisitor) {
    this.#visitor = visitor;
  }

  entry(entry: TreeEntry): void {
    this.#isPlain &&= entry.path === '' && entry.kind === 'file' && (entry.mode & EXECUTE) === 0;
    this.#visitor.entry(entry);
  }

  data(chunk: Uint8Array): void {
    this.#hash.update(chunk);
    this.#visitor.data(chunk);
  }

  /** What is wrong, once everything has been told; undefined: nothing. The check is of no use afterwards. */
  problem(expected: Digest): string | undefined {
    if (!this.#isPlain) return 'it is not a file alone that cannot be executed';
    const found = finishDigest(this.#hash);
    return found === expected ? undefined : `its contents have ${found} instead of ${expected}`;
  }
}
