/** Where a compressed layer's bytes go from the thread that makes them: to places in files, through a ring to the main thread, or both. */
import { createHash } from 'node:crypto';
import { type Digest, finishDigest } from '../digest.ts';
import { type ChunkRing, RingSink } from './chunk-ring.ts';
import { type FilePosition, writeToPlaces } from './chunk-sink.ts';

export class BlobOutput {
  readonly #places: readonly FilePosition[];
  readonly #ring: RingSink | undefined;
  readonly #hash = createHash('sha256');
  #size = 0;

  constructor(places: readonly FilePosition[], ring: ChunkRing | undefined) {
    this.#places = places;
    this.#ring = ring === undefined ? undefined : new RingSink(ring);
  }

  /** Takes bytes in order; they may be overwritten afterwards. Blocks while whoever reads the ring is slower. */
  write(bytes: Uint8Array): void {
    this.#hash.update(bytes);
    writeToPlaces(this.#places, bytes, this.#size);
    if (this.#ring !== undefined) copyToRing(this.#ring, bytes);
    this.#size += bytes.length;
  }

  /** Tells whoever reads the ring that nothing follows. The output is of no use afterwards. */
  end(): { readonly digest: Digest; readonly size: number } {
    this.#ring?.end();
    return { digest: finishDigest(this.#hash), size: this.#size };
  }
}

function copyToRing(ring: RingSink, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) {
    const { buffer } = ring;
    const part = bytes.subarray(at, at + buffer.length);
    buffer.set(part);
    ring.commit(part.length);
    at += part.length;
  }
}
