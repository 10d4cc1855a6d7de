/** What a binary cache is, wherever it is: `nix-cache-info`, a `.narinfo` for each store path, and NARs. No Nix is needed. */
import { PhylloError } from '../errors.ts';
import type { Trust } from './trust.ts';
import type { NarSource } from './tree.ts';

export interface BinaryCache {
  /** How errors call it: its directory, or its address without what may be secret. */
  readonly name: string;
  readonly info: CacheInfo;
  readonly trust: Trust;
  /** Whether answers of earlier runs are taken for this one's. */
  readonly remembers: boolean;
  /**
   * The text of `HASH.narinfo`; undefined when the cache has none.
   * @param options `fresh`: whatever an earlier run was told, it is asked for now
   */
  readNarinfo(hashPart: string, options: { readonly fresh: boolean }): Promise<string | undefined>;
  /** @param url relative, and within the cache */
  narPlace(url: string): Pick<NarSource, 'location' | 'remote'>;
  /** Idempotent. */
  close(): void;
}

/** @see Nix manual, "nix-cache-info" */
export interface CacheInfo {
  readonly storeDir: string;
  /** The lower one is asked first. */
  readonly priority: number;
}

export const CACHE_INFO = 'nix-cache-info';
const STORE_DIR = /^StoreDir:[ \t]*(\/\S*?)\/*[ \t]*$/m;
const PRIORITY = /^Priority:[ \t]*(\d{1,9})[ \t]*$/m;

/**
 * @param name of the file, for messages
 * @throws PhylloError BINARY_CACHE_INVALID
 */
export function parseCacheInfo(text: string, name: string): CacheInfo {
  const storeDir = STORE_DIR.exec(text)?.[1];
  if (storeDir === undefined || storeDir === '') throw invalidCache(`${name} has no StoreDir`);
  return { storeDir, priority: Number(PRIORITY.exec(text)?.[1] ?? 0) };
}

export function invalidCache(problem: string, cause?: unknown): PhylloError {
  return new PhylloError('BINARY_CACHE_INVALID', `not a binary cache: ${problem}`, {
    hint: 'make one with nix copy --to file://DIR PATH',
    cause,
  });
}
