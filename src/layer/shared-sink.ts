/**
 * A layer made by two workers. The one with the files puts chunks into a ring, the other hashes them; writing them is the work
 * of whoever has less to do, so that both are done at the same time.
 */
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
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

/** A layer's digest, and its checksum as gzip ends with it. @see RFC 1952, "CRC32" */
export interface ChecksummedLayer extends LayerDigest {
  readonly crc32: number;
}

/** Puts a layer's chunks into a ring for compression, and hashes them. */
export class BlockSink implements ChunkSink {
  readonly #sink: RingSink;
  readonly #hash = createHash('sha256');
  #crc32 = 0;
  #size = 0;

  constructor(ring: ChunkRing) {
    this.#sink = new RingSink(ring);
  }

  get buffer(): Buffer {
    return this.#sink.buffer;
  }

  commit(length: number): void {
    const chunk = this.#sink.buffer.subarray(0, length);
    // Handed on first, so that compression begins while it is hashed; the slot stays as it is until this end reuses it.
    this.#sink.commit(length);
    this.#hash.update(chunk);
    this.#crc32 = crc32(chunk, this.#crc32);
    this.#size += length;
  }

  /** Tells the other end that nothing follows. The sink is of no use afterwards. */
  end(): ChecksummedLayer {
    this.#sink.end();
    return { diffID: finishDigest(this.#hash), size: this.#size, crc32: this.#crc32 };
  }
}
