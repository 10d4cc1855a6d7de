/**
 * What is known of layers that were made before: a few hundred bytes for each, never its contents. A layer's bytes are a function of
 * its key, so a layer whose digest is known here and whose blob is at its destination costs nothing.
 *
 * An entry is a claim: whoever makes the bytes compares. An entry that is damaged or foreign counts as absent, and so does the
 * whole cache when it cannot be used: no build fails for it.
 */
import { statSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { type Digest, isDigest } from '../digest.ts';
import { exclusively, isDamage, openCacheDatabase, removeDatabase } from '../store/cache-database.ts';
import { CacheTable, cacheTableSchema } from '../store/cache-table.ts';
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
const LAYERS = 'layers_1';
const PLANS = 'plans_1';

/** Texts by key, which can all be made again. */
export interface Memory {
  find(key: string): string | undefined;
  add(key: string, entry: string): void;
}

/**
 * Opens or makes the cache at `file`. A damaged file is replaced; one that cannot be made or is busy for too long gives `NO_CACHE`.
 * @param todayDays days since 1970: when entries were last used, for `prune`
 */
export function openDigestCache(file: string, todayDays: number): SqliteDigestCache | typeof NO_CACHE {
  const database = openCacheDatabase(file, [LAYERS, PLANS].map(cacheTableSchema).join(''));
  return database === undefined ? NO_CACHE : new SqliteDigestCache(database, { file, todayDays });
}

export class SqliteDigestCache implements DigestCache {
  readonly #database: DatabaseSync;
  readonly #file: string;
  readonly #todayDays: number;
  readonly #layers: CacheTable;
  readonly #plans: CacheTable;
  #open = true;
  #damaged = false;

  /** Plans that were made before, in the same file. */
  readonly plans: Memory = {
    find: (key) => this.#attempt(() => this.#plans.find(key)),
    add: (key, entry) => this.#attempt(() => this.#plans.add(key, entry)),
  };

  constructor(
    database: DatabaseSync,
    { file, todayDays }: { readonly file: string; readonly todayDays: number },
  ) {
    this.#database = database;
    this.#file = file;
    this.#todayDays = todayDays;
    this.#layers = new CacheTable(database, { name: LAYERS, todayDays });
    this.#plans = new CacheTable(database, { name: PLANS, todayDays });
  }

  find(key: LayerKey): CachedLayer | undefined {
    return this.#attempt(() => {
      const entry = this.#layers.find(key);
      return entry === undefined ? undefined : readEntry(entry);
    });
  }

  add(key: LayerKey, layer: CachedLayer): void {
    this.#attempt(() =>
      exclusively(this.#database, () => {
        const known = this.find(key);
        const sameTar = known?.diffID === layer.diffID;
        const blobs = { ...(sameTar ? known.blobs : {}), ...layer.blobs };
        this.#layers.add(key, JSON.stringify({ ...layer, blobs }));
      }),
    );
  }

  stat(): CacheStat {
    const entries = this.#attempt(() => this.#layers.count()) ?? 0;
    const sizes = ['', '-wal'].map(
      (suffix) => statSync(`${this.#file}${suffix}`, { throwIfNoEntry: false })?.size ?? 0,
    );
    return { entries, size: sizes.reduce((sum, size) => sum + size, 0) };
  }

  /** Forgets layers, and plans, that were not used for more than `days` days; gives the number of layers. */
  prune(days: number): number {
    const removed = this.#attempt(() => {
      const before = this.#todayDays - days;
      this.#plans.prune(before);
      const layers = this.#layers.prune(before);
      this.#database.exec('PRAGMA wal_checkpoint(TRUNCATE); VACUUM');
      return layers;
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

function readEntry(text: string): CachedLayer | undefined {
  const entry = JSON.parse(text) as CachedLayer;
  const sound =
    isDigest(entry.diffID) &&
    Number.isSafeInteger(entry.tarSize) &&
    Object.values(entry.blobs).every(({ digest, size }) => isDigest(digest) && Number.isSafeInteger(size));
  return sound ? entry : undefined;
}
