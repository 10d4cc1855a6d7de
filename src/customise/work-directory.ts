/** A private directory for what a build makes on the way to its customisation layer. Nothing of it outlives the build. */
import { chmodSync, lstatSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PhylloError, reasonOf } from '../errors.ts';
import { systemPath } from '../store/directory-tree.ts';

export class WorkDirectory {
  #path: string | undefined;

  /**
   * Made at the first use, for this user alone.
   * @throws PhylloError DESTINATION_UNWRITABLE
   */
  get path(): string {
    try {
      this.#path ??= mkdtempSync(join(tmpdir(), 'phyllo-customise-'));
      return this.#path;
    } catch (cause) {
      throw new PhylloError(
        'DESTINATION_UNWRITABLE',
        `cannot make a temporary directory in ${tmpdir()}: ${reasonOf(cause)}`,
        { hint: 'set TMPDIR to a directory that can be written', cause },
      );
    }
  }

  /** With all that is in it, whatever its modes. Idempotent. */
  remove(): void {
    if (this.#path === undefined) return;
    openDirectories(Buffer.from(this.#path).toString('latin1'));
    rmSync(this.#path, { recursive: true, force: true, maxRetries: 3 });
    this.#path = undefined;
  }
}

/** Only root removes what is in a directory that its owner may not write. */
function openDirectories(directory: string): void {
  chmodSync(systemPath(directory), 0o700);
  for (const name of readdirSync(systemPath(directory), 'latin1')) {
    const path = `${directory}/${name}`;
    if (lstatSync(systemPath(path)).isDirectory()) openDirectories(path);
  }
}
