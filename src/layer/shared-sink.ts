/**
 * A layer made by two workers. The one with the files puts chunks into a ring, the other hashes them; writing them is the work
 * of whoever has less to do, so that both are done at the same time.
 */
import { createHash } from 'node:crypto';
import { finishDigest } from '../digest.ts';
import { type ChunkRing, readRing, RingSink } from './chunk-ring.ts';
import { type ChunkSink, type FilePosition, writeToPlaces } from './chunk-sink.ts';
import type { LayerDigest } from './layer-source.ts';

/** The end of the worker that makes the bytes. */
export class SharedSink implements ChunkSink {
  readonly #places: readonly FilePosition[];
  readonly #sink: RingSink;
  #committed = 0;

  constructor(places: readonly FilePosition[], ring: ChunkRing) {
    this.#places = places;
    this.#sink = new RingSink(ring);
  }

  get buffer(): Buffer {
    return this.#sink.buffer;
  }

  commit(length: number): void {
    const unwritten = this.#sink.isStarved;
    if (!unwritten) writeToPlaces(this.#places, this.#sink.buffer.subarray(0, length), this.#committed);
    this.#sink.commit(length, { unwritten });
    this.#committed += length;
  }

  /** Tells the other worker that nothing follows. */
  end(): void {
    this.#sink.end();
  }
}

/** The work of the other one. */
export function digestRing(ring: ChunkRing, places: readonly FilePosition[]): LayerDigest {
  const hash = createHash('sha256');
  let size = 0;
  for (const { bytes, unwritten } of readRing(ring)) {
    hash.update(bytes);
    if (unwritten) writeToPlaces(places, bytes, size);
    size += bytes.length;
  }
  return { diffID: finishDigest(hash), size };
}
