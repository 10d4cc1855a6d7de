/** A file that nobody else finds and that is gone when it is closed, where the system allows it however the program ends. */
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export class TemporaryFile implements Disposable {
  /** Open for reading and writing. */
  readonly fd: number;
  readonly #directory: string;

  /** @throws the system's error */
  constructor(prefix: string) {
    this.#directory = mkdtempSync(join(tmpdir(), prefix));
    try {
      this.fd = openSync(join(this.#directory, 'contents'), 'wx+', 0o600);
    } catch (error) {
      this.#remove();
      throw error;
    }
    this.#remove();
  }

  [Symbol.dispose](): void {
    closeSync(this.fd);
    this.#remove();
  }

  /** Windows keeps the name of a file that is open; then it goes when it is closed. */
  #remove(): void {
    try {
      rmSync(this.#directory, { recursive: true, force: true });
    } catch {
      // It is tried again, and what is left is empty or in the system's directory for such things.
    }
  }
}
