/**
 * A ring of chunks in shared memory between the thread that makes a layer's bytes and the one that uses them. The maker waits
 * when the ring is full, so a layer of any size needs the ring's memory and no more.
 *
 * Control words, 32 bits each: the number of free slots, the number of filled ones, whether the reader has gone, then for each slot
 * the length of its chunk (0 is the end), then for each slot whether the chunk is still to be written to its places.
 */
import { CHUNK_SIZE, type ChunkSink } from './chunk-sink.ts';

const SLOTS = 16;
const SHAPE: RingShape = { count: SLOTS, size: CHUNK_SIZE };
const FREE = 0;
const FILLED = 1;
const ABANDONED = 2;
const LENGTHS = 3;

/** Plain data for a message. */
export interface ChunkRing {
  /** Number of slots. */
  readonly count: number;
  readonly control: Int32Array<SharedArrayBuffer>;
  readonly slots: Uint8Array<SharedArrayBuffer>;
}

/** @param shape number of slots, and bytes of each */
export function createChunkRing({ count, size }: RingShape = SHAPE): ChunkRing {
  const control = new Int32Array(new SharedArrayBuffer((LENGTHS + 2 * count) * Int32Array.BYTES_PER_ELEMENT));
  control[FREE] = count;
  return { count, control, slots: new Uint8Array(new SharedArrayBuffer(count * size)) };
}

export interface RingShape {
  readonly count: number;
  readonly size: number;
}

/** Rings for layer after layer: new memory for each would cost more than a small layer itself. */
export class RingPool {
  readonly #free: ChunkRing[] = [];

  take(): ChunkRing {
    return this.#free.pop() ?? createChunkRing();
  }

  /** Both ends must be done with it. */
  giveBack(ring: ChunkRing): void {
    ring.control.fill(0);
    ring.control[FREE] = ring.count;
    this.#free.push(ring);
  }
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

  /** Whether the other end is about to wait for this one. */
  get isStarved(): boolean {
    return Atomics.load(this.#ring.control, FILLED) < this.#ring.count / 4;
  }

  commit(length: number, { unwritten = false }: { readonly unwritten?: boolean } = {}): void {
    const { control } = this.#ring;
    this.#held ??= this.#acquire();
    control[LENGTHS + this.#next] = length;
    control[LENGTHS + this.#ring.count + this.#next] = unwritten ? 1 : 0;
    this.#next = (this.#next + 1) % this.#ring.count;
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
    if (Atomics.load(control, ABANDONED) === 1) throw new Error('nobody reads the ring any more');
    Atomics.sub(control, FREE, 1);
    return slotOf(this.#ring, this.#next);
  }
}

export interface RingChunk {
  /** Valid until the next chunk is asked for. */
  readonly bytes: Buffer;
  /** Whether the maker left it to this end to write the chunk to its places. */
  readonly unwritten: boolean;
}

/** Chunks in order. Never on the main thread: it blocks. */
export function* readRing(ring: ChunkRing): Generator<RingChunk, void, undefined> {
  for (let next = 0; ; next = (next + 1) % ring.count) {
    while (Atomics.load(ring.control, FILLED) === 0) Atomics.wait(ring.control, FILLED, 0);
    const bytes = takeChunk(ring, next);
    if (bytes.length > 0) yield { bytes, unwritten: ring.control[LENGTHS + ring.count + next] === 1 };
    releaseSlot(ring);
    if (bytes.length === 0) return;
  }
}

/**
 * Their bytes without blocking, each valid until the next is asked for. It waits for ever when the maker fails: wait for that, too.
 * A maker whose reader stops before the end fails.
 */
export async function* readRingAsync(ring: ChunkRing): AsyncGenerator<Buffer, void, undefined> {
  let isWhole = false;
  try {
    for (let next = 0; !isWhole; next = (next + 1) % ring.count) {
      while (Atomics.load(ring.control, FILLED) === 0) await Atomics.waitAsync(ring.control, FILLED, 0).value;
      const bytes = takeChunk(ring, next);
      isWhole = bytes.length === 0;
      if (!isWhole) yield bytes;
      releaseSlot(ring);
    }
  } finally {
    if (!isWhole) abandon(ring);
  }
}

function abandon(ring: ChunkRing): void {
  Atomics.store(ring.control, ABANDONED, 1);
  releaseSlot(ring);
}

function takeChunk(ring: ChunkRing, index: number): Buffer {
  Atomics.sub(ring.control, FILLED, 1);
  return slotOf(ring, index).subarray(0, ring.control[LENGTHS + index]);
}

/** Gives the oldest slot that was taken back to the maker. */
function releaseSlot({ control }: ChunkRing): void {
  Atomics.add(control, FREE, 1);
  Atomics.notify(control, FREE);
}

function slotOf({ slots, count }: ChunkRing, index: number): Buffer {
  const size = slots.byteLength / count;
  return Buffer.from(slots.buffer, index * size, size);
}
