/** A binary cache in a directory. @see Nix manual, "Local Binary Cache Store" */
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { PhylloError, reasonOf, systemErrorCode } from '../errors.ts';
import { type BinaryCache, CACHE_INFO, invalidCache, parseCacheInfo } from './binary-cache.ts';
import type { Trust } from './trust.ts';

export interface DirectoryCacheOptions {
  readonly directory: string;
  readonly trust: Trust;
}

/** @throws PhylloError BINARY_CACHE_INVALID when the directory is not a binary cache */
export function openDirectoryCache({ directory, trust }: DirectoryCacheOptions): BinaryCache {
  const place = resolve(directory);
  const file = join(place, CACHE_INFO);
  return {
    name: place,
    info: parseCacheInfo(readCacheInfo(file), file),
    trust,
    remembers: false,
    readNarinfo: (hashPart) => readIfThere(join(place, `${hashPart}.narinfo`)),
    narPlace: (url) => ({ location: join(place, url) }),
    close: () => undefined,
  };
}

function readCacheInfo(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw invalidCache(`cannot read ${file}: ${reasonOf(cause)}`, cause);
  }
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    if (systemErrorCode(cause) === 'ENOENT') return undefined;
    throw new PhylloError('FILE_UNREADABLE', `cannot read ${file}: ${reasonOf(cause)}`, { cause });
  }
}
