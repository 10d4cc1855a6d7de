/**
 * The hash of a NAR whose store path's name is made from it and stands in it: each time the path's hash part is there it counts
 * as zeros, and the places of all of them follow as `|OFFSET`.
 *
 * @see nix/src/libstore/references.cc, `HashModuloSink`
 */
import { createHash } from 'node:crypto';
import { type Digest, finishDigest } from '../digest.ts';

export class ModuloHash {
  readonly #hash = createHash('sha256');
  readonly #hashPart: Buffer;
  readonly #zeros: Buffer;
  readonly #places: number[] = [];
  /** The end of what came, in which a hash part may have begun. */
  #held: Buffer = Buffer.alloc(0);
  /** Where `#held` begins. */
  #offset = 0;

  constructor(hashPart: string) {
    this.#hashPart = Buffer.from(hashPart);
    this.#zeros = Buffer.alloc(hashPart.length);
  }

  /** The chunk stays as it is. */
  push(chunk: Uint8Array): void {
    const bytes = Buffer.concat([this.#held, chunk]);
    let done = 0;
    for (let at = bytes.indexOf(this.#hashPart); at !== -1; at = bytes.indexOf(this.#hashPart, done)) {
      this.#hash.update(bytes.subarray(done, at)).update(this.#zeros);
      this.#places.push(this.#offset + at);
      done = at + this.#zeros.length;
    }
    const end = Math.max(done, bytes.length - this.#zeros.length + 1);
    this.#hash.update(bytes.subarray(done, end));
    this.#held = bytes.subarray(end);
    this.#offset += end;
  }

  /** It is of no use afterwards. */
  finish(): Digest {
    this.#hash.update(this.#held);
    for (const place of this.#places) this.#hash.update(`|${place}`);
    return finishDigest(this.#hash);
  }
}
