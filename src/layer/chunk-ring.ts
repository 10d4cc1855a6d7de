/**
 * A ring of chunks in shared memory between a worker that makes a layer and the main thread that sends it on. The worker
 * waits when the ring is full, so a layer of any size needs the ring's memory and no more.
 *
 * The worker announces each chunk by a message; the main thread gives slots back through a counter.
 */
import { CHUNK_SIZE, type ChunkSink } from './chunk-sink.ts';

const SLOTS = 16;
/** Index of the counter of free slots. */
const FREE = 0;

/** Plain data for a message. */
export interface ChunkRing {
  readonly control: Int32Array<SharedArrayBuffer>;
  readonly slots: readonly Uint8Array<SharedArrayBuffer>[];
}

export function createChunkRing(): ChunkRing {
  const control = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  control[FREE] = SLOTS;
  const memory = new SharedArrayBuffer(SLOTS * CHUNK_SIZE);
  const slots = Array.from({ length: SLOTS }, (_, i) => new Uint8Array(memory, i * CHUNK_SIZE, CHUNK_SIZE));
  return { control, slots };
}

/** The worker's end. `announce` tells the other end that the next slot holds `length` bytes. */
export class RingSink implements ChunkSink {
  readonly #ring: ChunkRing;
  readonly #announce: (length: number) => void;
  #next = 0;
  #held: Buffer | undefined;

  constructor(ring: ChunkRing, announce: (length: number) => void) {
    this.#ring = ring;
    this.#announce = announce;
  }

  get buffer(): Buffer {
    this.#held ??= this.#acquire();
    return this.#held;
  }

  commit(length: number): void {
    this.#held = undefined;
    this.#announce(length);
  }

  #acquire(): Buffer {
    const { control, slots } = this.#ring;
    while (Atomics.load(control, FREE) === 0) Atomics.wait(control, FREE, 0);
    Atomics.sub(control, FREE, 1);
    const slot = slots[this.#next % slots.length] as Uint8Array<SharedArrayBuffer>;
    this.#next += 1;
    return Buffer.from(slot.buffer, slot.byteOffset, slot.byteLength);
  }
}

/** The main thread's end: turns announcements into chunks, in order. */
export class RingReader {
  readonly #ring: ChunkRing;
  #next = 0;

  constructor(ring: ChunkRing) {
    this.#ring = ring;
  }

  /** The bytes of the chunk announced next; a view of shared memory that is valid until `release`. */
  take(length: number): Uint8Array {
    const { slots } = this.#ring;
    const slot = slots[this.#next % slots.length] as Uint8Array;
    this.#next += 1;
    return slot.subarray(0, length);
  }

  /** Gives the oldest taken slot back to the worker. */
  release(): void {
    Atomics.add(this.#ring.control, FREE, 1);
    Atomics.notify(this.#ring.control, FREE);
  }
}
