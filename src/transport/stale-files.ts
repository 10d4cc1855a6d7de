/**
 * Temporary files that killed builds left in a directory (pending-file.ts). Whether a file's writer is alive cannot be asked of
 * another machine or container, but whoever writes a file changes its time: after a day without a change nobody does.
 */
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

const STALE_MS = 24 * 60 * 60 * 1000;
/** As PendingFile names them. */
const TEMPORARY = /^\..+\.[0-9a-f]{12}\.tmp$/;

/**
 * Removes them, as far as it may: leftovers are no reason to fail.
 * @param newest a file just written on the same file system, whose clock counts
 */
export async function removeStaleFiles(directory: string, newest: string): Promise<void> {
  const { mtimeMs: now } = await stat(newest);
  const names = await readdir(directory).catch((): string[] => []);
  for (const name of names.filter((one) => TEMPORARY.test(one))) {
    const file = join(directory, name);
    const stats = await stat(file).catch(() => undefined);
    if (stats?.isFile() === true && now - stats.mtimeMs > STALE_MS) await rm(file).catch(() => undefined);
  }
}
