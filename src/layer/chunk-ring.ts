/**
 * A ring of chunks in shared memory between the thread that makes a layer's bytes and the one that uses them. The maker waits
 * when the ring is full, so a layer of any size needs the ring's memory and no more.
 *
 * Control words, 32 bits each: the number of free slots, the number of filled ones, then the length of each slot's chunk.
 * A chunk of length 0 is the end.
 */
import { CHUNK_SIZE, type ChunkSink } from './chunk-sink.ts';

/** Measured over 2.2 GB: 8 to 32 slots are equally fast, 2 are 10 % slower. */
const SLOTS = 16;
const FREE = 0;
const FILLED = 1;
const LENGTHS = 2;

/** Plain data for a message. */
export interface ChunkRing {
  readonly control: Int32Array<SharedArrayBuffer>;
  readonly slots: Uint8Array<SharedArrayBuffer>;
}

export function createChunkRing(): ChunkRing {
  const control = new Int32Array(new SharedArrayBuffer((LENGTHS + SLOTS) * Int32Array.BYTES_PER_ELEMENT));
  control[FREE] = SLOTS;
  return { control, slots: new Uint8Array(new SharedArrayBuffer(SLOTS * CHUNK_SIZE)) };
}

/** The maker's end. Never on the main thread: it blocks. */
export class RingSink implements ChunkSink {
  readonly #ring: ChunkRing;
  #next = 0;
  #held: Buffer | undefined;

  constructor(ring: ChunkRing) {
    this.#ring = ring;
  }

  get buffer(): Buffer {
    this.#held ??= this.#acquire();
    return this.#held;
  }

  commit(length: number): void {
    const { control } = this.#ring;
    this.#held ??= this.#acquire();
    control[LENGTHS + this.#next] = length;
    this.#next = (this.#next + 1) % SLOTS;
    this.#held = undefined;
    Atomics.add(control, FILLED, 1);
    Atomics.notify(control, FILLED);
  }

  /** Tells the other end that nothing follows. */
  end(): void {
    this.commit(0);
  }

  #acquire(): Buffer {
    const { control } = this.#ring;
    while (Atomics.load(control, FREE) === 0) Atomics.wait(control, FREE, 0);
    Atomics.sub(control, FREE, 1);
    return slotOf(this.#ring, this.#next);
  }
}

/** Chunks in order, each valid until the next is asked for. Never on the main thread: it blocks. */
export function* readRing(ring: ChunkRing): Generator<Buffer, void, undefined> {
  for (let next = 0; ; next = (next + 1) % SLOTS) {
    while (Atomics.load(ring.control, FILLED) === 0) Atomics.wait(ring.control, FILLED, 0);
    const chunk = takeChunk(ring, next);
    if (chunk.length > 0) yield chunk;
    releaseSlot(ring);
    if (chunk.length === 0) return;
  }
}

/** The same without blocking. It waits for ever when the maker fails: wait for that, too. */
export async function* readRingAsync(ring: ChunkRing): AsyncGenerator<Buffer, void, undefined> {
  for (let next = 0; ; next = (next + 1) % SLOTS) {
    while (Atomics.load(ring.control, FILLED) === 0) await Atomics.waitAsync(ring.control, FILLED, 0).value;
    const chunk = takeChunk(ring, next);
    if (chunk.length > 0) yield chunk;
    releaseSlot(ring);
    if (chunk.length === 0) return;
  }
}

function takeChunk(ring: ChunkRing, index: number): Buffer {
  Atomics.sub(ring.control, FILLED, 1);
  return slotOf(ring, index).subarray(0, ring.control[LENGTHS + index]);
}

function releaseSlot({ control }: ChunkRing): void {
  Atomics.add(control, FREE, 1);
  Atomics.notify(control, FREE);
}

function slotOf({ slots }: ChunkRing, index: number): Buffer {
  return Buffer.from(slots.buffer, index * CHUNK_SIZE, CHUNK_SIZE);
}
