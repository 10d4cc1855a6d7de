/**
 * A file that appears under its name only when it is whole: written under a temporary name in the same directory, synced,
 * renamed.
 */
import { constants } from 'node:fs';
import { type FileHandle, lstat, open, realpath, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { PhylloError, reasonOf, systemErrorCode } from '../errors.ts';
import { writeError } from '../layer/chunk-sink.ts';

const SYNC_INTERVAL_MS = 200;

export class PendingFile {
  /** As the user called it, for messages. */
  readonly file: string;
  readonly #target: string;
  readonly #temporary: string;
  readonly #handle: FileHandle;
  readonly #syncing: NodeJS.Timeout;
  #settled = false;

  private constructor(file: string, opened: { target: string; temporary: string; handle: FileHandle }) {
    this.file = file;
    this.#target = opened.target;
    this.#temporary = opened.temporary;
    this.#handle = opened.handle;
    // What is on the disk by the time of `commit` need not be waited for then.
    this.#syncing = setInterval(() => void this.#syncEarly(), SYNC_INTERVAL_MS).unref();
  }

  /**
   * What stands under the name stays until `commit`; a symlink is followed, so that it stays one.
   * @param mode less what the umask takes away
   * @throws PhylloError DESTINATION_UNWRITABLE
   */
  static async create(file: string, mode = 0o666): Promise<PendingFile> {
    const target = await realpath(file).catch(() => file);
    const temporary = join(
      dirname(target),
      `.${basename(target).slice(0, 100)}.${randomBytes(6).toString('hex')}.tmp`,
    );
    try {
      await refuseDirectory(target);
      const handle = await open(temporary, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, mode);
      return new PendingFile(file, { target, temporary, handle });
    } catch (cause) {
      const isFull = systemErrorCode(cause) === 'ENOSPC' || systemErrorCode(cause) === 'EDQUOT';
      throw isFull ? writeError(file, cause) : cannotCreate(file, cause);
    }
  }

  /** Open for reading and writing until `commit` or `discard`. */
  get fd(): number {
    return this.#handle.fd;
  }

  /**
   * Puts the file in its place, or under another name in the same directory.
   * @throws PhylloError DISK_FULL, DESTINATION_UNWRITABLE; the temporary file is gone then too
   */
  async commit(target: string = this.#target): Promise<void> {
    clearInterval(this.#syncing);
    try {
      await this.#handle.sync();
      await this.#handle.close();
      await rename(this.#temporary, target);
      this.#settled = true;
      await syncDirectory(dirname(this.#target));
    } catch (cause) {
      await this.discard();
      throw writeError(this.file, cause);
    }
  }

  /** A failure here shows again in `commit`. */
  async #syncEarly(): Promise<void> {
    await this.#handle.datasync().catch(() => undefined);
  }

  /** Removes what was written, unless it is in its place already. Idempotent. */
  async discard(): Promise<void> {
    if (this.#settled) return;
    this.#settled = true;
    clearInterval(this.#syncing);
    await this.#handle.close().catch(() => undefined);
    await rm(this.#temporary, { force: true });
  }
}

async function refuseDirectory(target: string): Promise<void> {
  const stats = await lstat(target).catch(() => undefined);
  if (stats?.isDirectory() === true) throw new Error('it is a directory');
}

/** The rename itself must survive a crash. Some file systems cannot sync a directory, and need not. */
async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, constants.O_RDONLY);
  try {
    await handle.sync();
  } catch (error) {
    if (systemErrorCode(error) !== 'EINVAL') throw error;
  } finally {
    await handle.close();
  }
}

function cannotCreate(file: string, cause: unknown): PhylloError {
  return new PhylloError('DESTINATION_UNWRITABLE', `cannot write ${file}: ${reasonOf(cause)}`, {
    hint: 'the directory must exist and be writable',
    cause,
  });
}
