/**
 * Reads an SQLite database that others may be writing, wherever the file is.
 *
 * *Ordinary way*: a read-only connection, and a transaction around each reading, so that it sees one state. For a database
 * in WAL mode, SQLite then takes part in the `-shm` file, and makes it where it does not exist.
 *
 * *Guarded way*, where that file can be neither used nor made (a read-only file system, another user's directory): the file is
 * opened as `immutable`, which leaves out all locks. That is safe while nobody writes, and so the files' sizes and times
 * are compared before and after; if they changed, the reading is thrown away and done again. A `-wal` file that is not
 * empty holds committed data which `immutable` would not see: then both files are copied to a private folder first, where
 * SQLite may write, under the same guard.
 *
 * @see sqlite.org/wal.html, "Read-Only Databases"; sqlite.org/uri.html, "immutable"
 */
import { copyFileSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';

/** A function of the database's state alone: it may run more than once. */
export type Query<T> = (database: DatabaseSync) => T;

/** A writer holds its locks for moments; beyond that something is wrong. */
const BUSY_TIMEOUT_MS = 10_000;
const MAX_ATTEMPTS = 5;
/** SQLite's primary result codes for files that cannot be opened or written as the ordinary way wants it. */
const ACCESS_PROBLEMS: ReadonlySet<number> = new Set([/* READONLY */ 8, /* CANTOPEN */ 14]);

export class DatabaseReader {
  readonly #file: string;
  #connection: DatabaseSync | undefined;
  #guarded = false;

  /** Opens nothing yet. @param file absolute path */
  constructor(file: string) {
    this.#file = file;
  }

  /** Runs `query` on one consistent state. @throws what SQLite, the file system and the query throw */
  read<T>(query: Query<T>): T {
    if (this.#guarded) return readGuarded(this.#file, query);
    try {
      this.#connection ??= connect(this.#file);
      return inTransaction(this.#connection, query);
    } catch (error) {
      this.close();
      if (!isAccessProblem(error)) throw error;
      this.#guarded = true;
      return readGuarded(this.#file, query);
    }
  }

  /** Idempotent. */
  close(): void {
    this.#connection?.close();
    this.#connection = undefined;
  }
}

function readGuarded<T>(file: string, query: Query<T>): T {
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt += 1) {
    const before = fingerprint(file);
    const result = attemptToRead(file, query);
    if (fingerprint(file) === before) return result.get();
  }
  throw new Error(`it was written to during each of ${MAX_ATTEMPTS} attempts to read it`);
}

/** An error counts only when nobody wrote in the meantime: a file that is being written can look damaged. */
function attemptToRead<T>(file: string, query: Query<T>): { readonly get: () => T } {
  try {
    const value = sizeOf(`${file}-wal`) > 0 ? readCopy(file, query) : readImmutable(file, query);
    return { get: () => value };
  } catch (error) {
    return {
      get: () => {
        throw error;
      },
    };
  }
}

function readImmutable<T>(file: string, query: Query<T>): T {
  const location = pathToFileURL(file);
  location.searchParams.set('immutable', '1');
  return readOnce(location, query);
}

function readCopy<T>(file: string, query: Query<T>): T {
  const directory = mkdtempSync(join(tmpdir(), 'phyllo-database-'));
  try {
    const copy = join(directory, 'db.sqlite');
    copyFileSync(file, copy);
    copyFileSync(`${file}-wal`, `${copy}-wal`);
    return readOnce(copy, query);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function readOnce<T>(location: string | URL, query: Query<T>): T {
  const database = connect(location);
  try {
    return inTransaction(database, query);
  } finally {
    database.close();
  }
}

function inTransaction<T>(database: DatabaseSync, query: Query<T>): T {
  database.exec('BEGIN');
  try {
    return query(database);
  } finally {
    if (database.isTransaction) database.exec('ROLLBACK');
  }
}

/** `node:sqlite` is loaded here, because loading it prints a warning that only users of a database should see. */
function connect(location: string | URL): DatabaseSync {
  const { DatabaseSync } = process.getBuiltinModule('node:sqlite');
  return new DatabaseSync(location, { readOnly: true, timeout: BUSY_TIMEOUT_MS });
}

function isAccessProblem(error: unknown): boolean {
  const code = error instanceof Error && 'errcode' in error ? error.errcode : undefined;
  return typeof code === 'number' && ACCESS_PROBLEMS.has(code & 0xff);
}

/** Changes when anybody writes to the database. */
function fingerprint(file: string): string {
  return [file, `${file}-wal`].map((name) => describe(name)).join(' ');
}

function describe(file: string): string {
  const stats = statSync(file, { bigint: true, throwIfNoEntry: false });
  // An empty WAL is as good as none: opening the database makes and removes it.
  if (stats === undefined || stats.size === 0n) return 'none';
  return [stats.dev, stats.ino, stats.size, stats.mtimeNs, stats.ctimeNs].join(':');
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}
