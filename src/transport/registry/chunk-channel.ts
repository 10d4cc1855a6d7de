/** Hands chunks from whoever makes them to whoever sends them, one at a time: the maker waits while the sender is slower. */

/** Small enough that each is on its way well within any time limit. */
const MAX_CHUNK_BYTES = 256 * 1024;

interface Offer {
  readonly bytes: Uint8Array;
  readonly taken: () => void;
}

/** For one maker and one sender. */
export class ChunkChannel implements AsyncIterable<Uint8Array> {
  #offer = Promise.withResolvers<Offer | undefined>();
  #closed = false;
  #taken: (() => void) | undefined;

  /** Resolves when the sender asks for more; at once when nobody sends any more. The bytes must not be overwritten. */
  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length && !this.#closed; at += MAX_CHUNK_BYTES) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#taken = resolve;
      this.#offer.resolve({ bytes: bytes.subarray(at, at + MAX_CHUNK_BYTES), taken: resolve });
      await promise;
    }
  }

  /** Nothing follows. */
  end(): void {
    this.#offer.resolve(undefined);
  }

  /** Nobody takes what follows. Idempotent. */
  close(): void {
    this.#closed = true;
    this.#taken?.();
    this.#offer.resolve(undefined);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    for (;;) {
      const offer = await this.#offer.promise;
      if (offer === undefined) return;
      this.#offer = Promise.withResolvers();
      yield offer.bytes;
      offer.taken();
    }
  }
}
