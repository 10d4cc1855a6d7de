/** Where one build lays by the NARs that it reads more than once. */
import { join } from 'node:path';
import { baseName, type StorePath } from './store-path.ts';
import type { NarKeep } from './tree.ts';

/** Of NARs as they are stored. What does not fit is fetched again. */
const KEPT_BYTES = 4n * 2n ** 30n;

export class NarKeeper {
  readonly #directory: () => string;
  readonly #budget = new BigInt64Array(new SharedArrayBuffer(BigInt64Array.BYTES_PER_ELEMENT));

  /** @param directory asked for when the first NAR is to be kept; whoever gives it removes it */
  constructor(directory: () => string) {
    this.#directory = directory;
    this.#budget[0] = KEPT_BYTES;
  }

  keepFor(path: StorePath): NarKeep {
    return { file: join(this.#directory(), `${baseName(path)}.kept-nar`), budget: this.#budget };
  }
}
