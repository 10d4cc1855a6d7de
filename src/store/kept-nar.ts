/** NARs that were fetched over the network and are read again in the same build, within a bound. */
import { randomUUID } from 'node:crypto';
import { closeSync, openSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import type { NarKeep } from './tree.ts';

/** Its file, when it is there, whole. */
export function keptNar({ file }: NarKeep): string | undefined {
  return statSync(file, { throwIfNoEntry: false })?.isFile() === true ? file : undefined;
}

/** Appears under its name when it is whole. Where there is no room for it, it does not: it can be fetched again. */
export class KeepFile {
  readonly #keep: NarKeep;
  readonly #pending: string;
  #fd: number | undefined;
  #taken = 0n;

  constructor(keep: NarKeep) {
    this.#keep = keep;
    this.#pending = `${keep.file}.${randomUUID()}`;
    this.#attempt(() => (this.#fd = openSync(this.#pending, 'wx', 0o600)));
  }

  write(chunk: Uint8Array): void {
    const fd = this.#fd;
    if (fd === undefined) return;
    const length = BigInt(chunk.length);
    this.#taken += length;
    if (Atomics.sub(this.#keep.budget, 0, length) < length) return this.discard();
    this.#attempt(() => {
      for (let at = 0; at < chunk.length;) at += writeSync(fd, chunk, at);
    });
  }

  commit(): void {
    if (this.#fd === undefined) return;
    this.#attempt(() => {
      this.#close();
      renameSync(this.#pending, this.#keep.file);
      this.#taken = 0n;
    });
  }

  /** Idempotent; after `commit` it does nothing. */
  discard(): void {
    if (this.#taken > 0n) Atomics.add(this.#keep.budget, 0, this.#taken);
    this.#taken = 0n;
    this.#close();
    rmSync(this.#pending, { force: true });
  }

  #close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  #attempt(act: () => void): void {
    try {
      act();
    } catch {
      this.discard();
    }
  }
}
