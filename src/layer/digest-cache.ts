/**
 * What is known of layers that were made before: a few hundred bytes for each, never its contents. A layer's bytes are a function of
 * its key, so a layer whose digest is known here and whose blob is at its destination costs nothing.
 *
 * An entry is a claim: whoever makes the bytes compares. An entry that is damaged or foreign counts as absent, and so does the
 * whole cache when it cannot be used: no build fails for it.
 */
import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { type Digest, isDigest } from '../digest.ts';
import { exclusively, isDamage, openCacheDatabase, removeDatabase } from '../store/cache-database.ts';
import type { LayerKey } from './layer-key.ts';

export interface CachedLayer {
  /** sha256 of the uncompressed tar. */
  readonly diffID: Digest;
  /** Bytes of the uncompressed tar. */
  readonly tarSize: number;
  /** By encoder id. */
  readonly blobs: Readonly<Record<string, CachedBlob>>;
  /** What making the layer had to say. */
  readonly warnings: readonly string[];
}

export interface CachedBlob {
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
}

/** Safe for any number of processes at once. */
export interface DigestCache {
  find(key: LayerKey): CachedLayer | undefined;
  /** Adds to what is known of the layer; blobs of other encoders stay. */
  add(key: LayerKey, layer: CachedLayer): void;
  /** Idempotent. */
  close(): void;
}

export interface CacheStat {
  readonly entries: number;
  /** Bytes on disk. */
  readonly size: number;
}

export const NO_CACHE: DigestCache = { find: () => undefined, add: () => undefined, close: () => undefined };

const DAY_SECONDS = 86_400;
const SCHEMA = `
  CREATE TABLE IF NOT EXISTS layers_1 (
    key TEXT PRIMARY KEY, entry TEXT NOT NULL, checksum TEXT NOT NULL, usedDay INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
`;

/**
 * Opens or makes the cache at `file`. A damaged file is replaced; one that cannot be made or is busy for too long gives `NO_CACHE`.
 * @param todayDays days since 1970: when entries were last used, for `prune`
 */
export function openDigestCache(file: string, todayDays: number): SqliteDigestCache | typeof NO_CACHE {
  const database = openCacheDatabase(file, SCHEMA);
  return database === undefined ? NO_CACHE : new SqliteDigestCache(database, { file, todayDays });
}

interface Row {
  readonly entry: string;
  readonly checksum: string;
  readonly usedDay: number;
}

export class SqliteDigestCache implements DigestCache {
  readonly #database: DatabaseSync;
  readonly #file: string;
  readonly #todayDays: number;
  #open = true;
  #damaged = false;

  constructor(
    database: DatabaseSync,
    { file, todayDays }: { readonly file: string; readonly todayDays: number },
  ) {
    this.#database = database;
    this.#file = file;
    this.#todayDays = todayDays;
  }

  find(key: LayerKey): CachedLayer | undefined {
    return this.#attempt(() => {
      const select = this.#database.prepare('SELECT entry, checksum, usedDay FROM layers_1 WHERE key = ?');
      const row = select.get(key) as Row | undefined;
      if (row === undefined || row.checksum !== checksumOf(key, row.entry)) return undefined;
      if (row.usedDay !== this.#todayDays) {
        this.#database.prepare('UPDATE layers_1 SET usedDay = ? WHERE key = ?').run(this.#todayDays, key);
      }
      return readEntry(row.entry);
    });
  }

  add(key: LayerKey, layer: CachedLayer): void {
    this.#attempt(() =>
      exclusively(this.#database, () => {
        const known = this.find(key);
        const sameTar = known?.diffID === layer.diffID;
        const entry = JSON.stringify({
          ...layer,
          blobs: { ...(sameTar ? known.blobs : {}), ...layer.blobs },
        });
        this.#database
          .prepare('INSERT OR REPLACE INTO layers_1 (key, entry, checksum, usedDay) VALUES (?, ?, ?, ?)')
          .run(key, entry, checksumOf(key, entry), this.#todayDays);
      }),
    );
  }

  stat(): CacheStat {
    const row = this.#attempt(() => this.#database.prepare('SELECT count(*) AS entries FROM layers_1').get());
    const sizes = ['', '-wal'].map(
      (suffix) => statSync(`${this.#file}${suffix}`, { throwIfNoEntry: false })?.size ?? 0,
    );
    return { entries: Number(row?.['entries'] ?? 0), size: sizes.reduce((sum, size) => sum + size, 0) };
  }

  /** Forgets entries that were not used for more than `days` days; gives their number. */
  prune(days: number): number {
    const removed = this.#attempt(() => {
      const { changes } = this.#database
        .prepare('DELETE FROM layers_1 WHERE usedDay < ?')
        .run(this.#todayDays - days);
      this.#database.exec('PRAGMA wal_checkpoint(TRUNCATE); VACUUM');
      return Number(changes);
    });
    return removed ?? 0;
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#database.close();
    // Damage that shows only in use: whoever comes next begins a new one.
    if (this.#damaged) this.#attempt(() => removeDatabase(this.#file));
  }

  /** A cache that fails is a cache that knows nothing. */
  #attempt<T>(use: () => T): T | undefined {
    try {
      return use();
    } catch (error) {
      this.#damaged ||= isDamage(error);
      return undefined;
    }
  }
}

/** Days since 1970 of a moment. */
export function dayOf(epochMs: number): number {
  return Math.floor(epochMs / 1000 / DAY_SECONDS);
}

/** Ties the entry to its key: neither a flipped bit nor a row under another key is believed. */
function checksumOf(key: LayerKey, entry: string): string {
  return createHash('sha256').update(`${key}\n${entry}`).digest('base64');
}

function readEntry(text: string): CachedLayer | undefined {
  const entry = JSON.parse(text) as CachedLayer;
  const sound =
    isDigest(entry.diffID) &&
    Number.isSafeInteger(entry.tarSize) &&
    Object.values(entry.blobs).every(({ digest, size }) => isDigest(digest) && Number.isSafeInteger(size));
  return sound ? entry : undefined;
}
