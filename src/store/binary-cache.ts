/**
 * A binary cache in a directory: `nix-cache-info`, a `.narinfo` for each store path, and NARs. No Nix is needed.
 *
 * Whatever does not depend on the cache's being a directory is in `narinfo-store.ts`.
 *
 * @see Nix manual, "Binary cache"
 */
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { PhylloError, reasonOf, systemErrorCode } from '../errors.ts';
import { NarinfoStore } from './narinfo-store.ts';
import type { Store } from './store.ts';

export interface BinaryCacheOptions {
  readonly directory: string;
}

const CACHE_INFO = 'nix-cache-info';
const STORE_DIR = /^StoreDir:[ \t]*(\/\S*?)\/*[ \t]*$/m;

/** @throws PhylloError BINARY_CACHE_INVALID when the directory is not a binary cache */
export function openBinaryCache({ directory }: BinaryCacheOptions): Store {
  const place = resolve(directory);
  return new NarinfoStore({
    storeDir: readStoreDir(join(place, CACHE_INFO)),
    name: place,
    readNarinfo: (file) => readIfThere(join(place, file)),
    narLocation: (url) => join(place, url),
  });
}

function readStoreDir(file: string): string {
  const storeDir = STORE_DIR.exec(readCacheInfo(file))?.[1];
  if (storeDir !== undefined && storeDir !== '') return storeDir;
  throw invalidCache(`${file} has no StoreDir`);
}

function readCacheInfo(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw invalidCache(`cannot read ${file}: ${reasonOf(cause)}`, cause);
  }
}

function invalidCache(problem: string, cause?: unknown): PhylloError {
  return new PhylloError('BINARY_CACHE_INVALID', `not a binary cache: ${problem}`, {
    hint: 'make one with nix copy --to file://DIR PATH',
    cause,
  });
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    if (systemErrorCode(cause) === 'ENOENT') return undefined;
    throw new PhylloError('FILE_UNREADABLE', `cannot read ${file}: ${reasonOf(cause)}`, { cause });
  }
}
