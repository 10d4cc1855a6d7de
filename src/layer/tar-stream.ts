/** Assembles a tar in a sink's chunks. Synchronous: it runs in worker threads. */
import { closeSync, constants, openSync, readSync } from 'node:fs';
import { PhylloError, reasonOf } from '../errors.ts';
import { displayPath, systemPath } from '../store/directory-tree.ts';
import type { ChunkSink } from './chunk-sink.ts';
import { BLOCK_SIZE, roundUp, tarSize } from './tar-member.ts';

interface ContentRequest {
  readonly location: string;
  readonly size: number;
  readonly observe: ((bytes: Uint8Array) => void) | undefined;
}

export class TarStream {
  readonly #sink: ChunkSink;
  #filled = 0;
  #committed = 0;

  constructor(sink: ChunkSink) {
    this.#sink = sink;
  }

  /** Bytes written so far. */
  get size(): number {
    return this.#committed + this.#filled;
  }

  write(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      const part = bytes.subarray(at, at + this.#room());
      this.#sink.buffer.set(part, this.#filled);
      this.#advance(part.length);
      at += part.length;
    }
  }

  /** Zeros up to the next block: what follows a member's content. */
  pad(): void {
    this.#zeros(roundUp(this.size, BLOCK_SIZE) - this.size);
  }

  /**
   * The content of the file at `location` (latin1), which must have `size` bytes, and padding.
   * @param observe sees the content as it is read
   * @throws PhylloError FILE_CHANGED when it has more or fewer; FILE_UNREADABLE
   */
  file(location: string, size: number, observe?: (bytes: Uint8Array) => void): void {
    const fd = this.#reading(location, () =>
      openSync(systemPath(location), constants.O_RDONLY | constants.O_NOFOLLOW),
    );
    try {
      this.#content(fd, { location, size, observe });
    } finally {
      closeSync(fd);
    }
    this.pad();
  }

  /** Ends the tar. The stream is of no use afterwards. */
  finish(): void {
    this.#zeros(tarSize(this.size) - this.size);
    this.#flush();
  }

  #content(fd: number, { location, size, observe }: ContentRequest): void {
    let left = size;
    for (let atEnd = false; !atEnd;) {
      const room = this.#room();
      // One byte more than expected shows in the same call that the file ends where it should.
      const wanted = Math.min(left + 1, room);
      const read = this.#reading(location, () => readSync(fd, this.#sink.buffer, this.#filled, wanted, null));
      if (read > left)
        throw fileChanged(location, `it has more than the ${size} bytes it had when it was listed`);
      if (read === 0 && left > 0)
        throw fileChanged(location, `it has ${size - left} bytes, and had ${size} when it was listed`);
      observe?.(this.#sink.buffer.subarray(this.#filled, this.#filled + read));
      left -= read;
      this.#advance(read);
      atEnd = left === 0 && read < wanted;
    }
  }

  #reading<T>(location: string, read: () => T): T {
    try {
      return read();
    } catch (cause) {
      throw new PhylloError('FILE_UNREADABLE', `cannot read ${displayPath(location)}: ${reasonOf(cause)}`, {
        hint: 'a store path must not change while an image is made of it; run again when it is whole',
        cause,
      });
    }
  }

  #zeros(count: number): void {
    for (let left = count; left > 0;) {
      const length = Math.min(left, this.#room());
      this.#sink.buffer.fill(0, this.#filled, this.#filled + length);
      this.#advance(length);
      left -= length;
    }
  }

  /** Free bytes of the current chunk, at least one. */
  #room(): number {
    return this.#sink.buffer.length - this.#filled;
  }

  #advance(length: number): void {
    this.#filled += length;
    if (this.#filled === this.#sink.buffer.length) this.#flush();
  }

  #flush(): void {
    if (this.#filled === 0) return;
    this.#sink.commit(this.#filled);
    this.#committed += this.#filled;
    this.#filled = 0;
  }
}

function fileChanged(location: string, what: string): PhylloError {
  return new PhylloError(
    'FILE_CHANGED',
    `${displayPath(location)} changed while its layer was made: ${what}`,
    {
      hint: 'store paths must not be written to; repair it (nix-store --repair-path) and run again',
    },
  );
}
