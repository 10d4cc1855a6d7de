/**
 * What binary caches answered in earlier runs, for as long as Nix believes it. Nothing here is trusted more than the network:
 * signatures are checked again whenever a narinfo is read.
 */
import { createHash } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { exclusively, openCacheDatabase } from './cache-database.ts';

export interface NarinfoCache {
  /** What a cache answered about a file; a text that is undefined: it has none. Undefined: nobody knows. */
  find(cache: string, file: string): { readonly text: string | undefined } | undefined;
  add(cache: string, file: string, text: string | undefined): void;
  /** Idempotent. */
  close(): void;
}

export interface NarinfoCacheOptions {
  /** Seconds since 1970. */
  readonly nowSeconds: number;
  /** How long a narinfo is believed; Nix's 30 days when absent. */
  readonly positiveTtlSeconds?: number;
  /** How long it is believed that there is none; Nix's hour when absent. */
  readonly negativeTtlSeconds?: number;
}

export const NO_NARINFO_CACHE: NarinfoCache = {
  find: () => undefined,
  add: () => undefined,
  close: () => undefined,
};

const POSITIVE_TTL_SECONDS = 30 * 86_400;
const NEGATIVE_TTL_SECONDS = 3600;
const SCHEMA = `
  CREATE TABLE IF NOT EXISTS narinfos_1 (
    cache TEXT NOT NULL, file TEXT NOT NULL, text TEXT, fetched INTEGER NOT NULL, checksum TEXT NOT NULL,
    PRIMARY KEY (cache, file)
  ) STRICT, WITHOUT ROWID;
`;
const FIND = 'SELECT text, fetched, checksum FROM narinfos_1 WHERE cache = ? AND file = ?';
const ADD = 'INSERT OR REPLACE INTO narinfos_1 (cache, file, text, fetched, checksum) VALUES (?, ?, ?, ?, ?)';
const FORGET = 'DELETE FROM narinfos_1 WHERE fetched < ?';

/** Opens or makes the cache at `file`; one that cannot be used knows nothing. */
export function openNarinfoCache(file: string, options: NarinfoCacheOptions): NarinfoCache {
  const database = openCacheDatabase(file, SCHEMA);
  return database === undefined ? NO_NARINFO_CACHE : new SqliteNarinfoCache(database, options);
}

interface Row {
  readonly text: string | null;
  readonly fetched: number;
  readonly checksum: string;
}

interface Answer {
  readonly cache: string;
  readonly file: string;
  readonly text: string | undefined;
}

class SqliteNarinfoCache implements NarinfoCache {
  readonly #database: DatabaseSync;
  readonly #nowSeconds: number;
  readonly #positiveTtl: number;
  readonly #negativeTtl: number;
  /** Written all at once, at the end. */
  readonly #added: Answer[] = [];
  #open = true;

  constructor(database: DatabaseSync, options: NarinfoCacheOptions) {
    this.#database = database;
    this.#nowSeconds = Math.floor(options.nowSeconds);
    this.#positiveTtl = options.positiveTtlSeconds ?? POSITIVE_TTL_SECONDS;
    this.#negativeTtl = options.negativeTtlSeconds ?? NEGATIVE_TTL_SECONDS;
  }

  find(cache: string, file: string): { readonly text: string | undefined } | undefined {
    const row = attempt(() => this.#database.prepare(FIND).get(cache, file)) as Row | undefined;
    if (row === undefined) return undefined;
    const text = row.text ?? undefined;
    const ttl = text === undefined ? this.#negativeTtl : this.#positiveTtl;
    // What comes from the future was written by a clock that was wrong.
    const age = this.#nowSeconds - row.fetched;
    if (age < 0 || age >= ttl) return undefined;
    const sound = row.checksum === checksumOf({ cache, file, text }, row.fetched);
    return sound ? { text } : undefined;
  }

  add(cache: string, file: string, text: string | undefined): void {
    this.#added.push({ cache, file, text });
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    attempt(() => this.#write());
    this.#database.close();
  }

  #write(): void {
    if (this.#added.length === 0) return;
    const add = this.#database.prepare(ADD);
    exclusively(this.#database, () => {
      for (const answer of this.#added) {
        const { cache, file, text } = answer;
        add.run(cache, file, text ?? null, this.#nowSeconds, checksumOf(answer, this.#nowSeconds));
      }
      const oldest = this.#nowSeconds - Math.max(this.#positiveTtl, this.#negativeTtl);
      this.#database.prepare(FORGET).run(oldest);
    });
  }
}

/** Ties a text to its place: a flipped bit is not believed, and what it would have said is asked for. */
function checksumOf({ cache, file, text }: Answer, fetched: number): string {
  return createHash('sha256')
    .update(JSON.stringify([cache, file, text ?? null, fetched]))
    .digest('base64');
}

/** A cache that fails is a cache that knows nothing. */
function attempt<T>(use: () => T): T | undefined {
  try {
    return use();
  } catch {
    return undefined;
  }
}
