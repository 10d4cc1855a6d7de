/**
 * SQLite files that hold what can be found out again: any number of processes share them, and no run fails for them.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';

const BUSY_TIMEOUT_MS = 5000;
const RETRY_MS = 5;
const SQLITE_BUSY = 5;
const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;

/**
 * Opens or makes the database at `file`. A damaged file is replaced; undefined where it cannot be made or is busy for too long.
 * @param schema statements that make what is not there yet
 */
export function openCacheDatabase(file: string, schema: string): DatabaseSync | undefined {
  try {
    return openPatiently(file, schema);
  } catch (error) {
    // Never a sound one, which another process may have open and only keeps busy.
    return isDamage(error) ? replaceDamaged(file, schema) : undefined;
  }
}

export function isDamage(error: unknown): boolean {
  const code = primaryCodeOf(error);
  return code === SQLITE_CORRUPT || code === SQLITE_NOTADB;
}

export function removeDatabase(file: string): void {
  for (const suffix of ['', '-wal', '-shm']) rmSync(`${file}${suffix}`, { force: true });
}

/** Between the statements of `work`, no other process writes. */
export function exclusively(database: DatabaseSync, work: () => void): void {
  database.exec('BEGIN IMMEDIATE');
  try {
    work();
    database.exec('COMMIT');
  } catch (error) {
    database.exec('ROLLBACK');
    throw error;
  }
}

/** @see sqlite.org/rescode.html */
function primaryCodeOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number')
    return undefined;
  return error.errcode & 0xff;
}

function replaceDamaged(file: string, schema: string): DatabaseSync | undefined {
  try {
    removeDatabase(file);
    return openPatiently(file, schema);
  } catch {
    return undefined;
  }
}

/** Making a new database a WAL one fails at once where another process does the same: SQLite does not wait there. */
function openPatiently(file: string, schema: string): DatabaseSync {
  for (let waitedMs = 0; ; waitedMs += 2 * RETRY_MS) {
    try {
      return openAt(file, schema);
    } catch (error) {
      if (primaryCodeOf(error) !== SQLITE_BUSY || waitedMs > BUSY_TIMEOUT_MS) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MS);
    }
  }
}

function openAt(file: string, schema: string): DatabaseSync {
  mkdirSync(dirname(file), { recursive: true });
  const { DatabaseSync } = process.getBuiltinModule('node:sqlite');
  const database = new DatabaseSync(file, { timeout: RETRY_MS });
  try {
    database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; ${schema}`);
    database.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}
