/**
 * A lock between processes. The lock is a transaction on an empty SQLite database: the operating system gives it back when its
 * holder dies, which a lock file left behind by a killed process does not do.
 */
import type { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { PhylloError, reasonOf } from '../errors.ts';

const RETRY_MS = 20;
const MAX_WAIT_MS = 60_000;

/**
 * Runs `work` while no other process holds the lock at `file`, which is made where it is missing and stays.
 * @throws PhylloError DESTINATION_UNWRITABLE when it cannot be had; what `work` throws
 */
export async function withLock<T>(file: string, work: () => Promise<T>): Promise<T> {
  const { DatabaseSync } = process.getBuiltinModule('node:sqlite');
  let database;
  try {
    database = new DatabaseSync(file);
  } catch (cause) {
    throw cannotLock(file, cause);
  }
  try {
    await acquire(database, file);
    return await work();
  } finally {
    database.close();
  }
}

async function acquire(database: DatabaseSync, file: string): Promise<void> {
  for (let waitedMs = 0; ; waitedMs += RETRY_MS) {
    try {
      database.exec('BEGIN EXCLUSIVE');
      return;
    } catch (cause) {
      const isBusy = cause instanceof Error && cause.message.includes('locked');
      if (!isBusy || waitedMs >= MAX_WAIT_MS) throw cannotLock(file, cause);
      await sleep(RETRY_MS);
    }
  }
}

function cannotLock(file: string, cause: unknown): PhylloError {
  return new PhylloError('DESTINATION_UNWRITABLE', `cannot lock ${file}: ${reasonOf(cause)}`, { cause });
}
