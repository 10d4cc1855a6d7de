/**
 * Store paths as values: `/nix/store/` HASH `-` NAME, where HASH is 32 characters of Nix's base-32 alphabet.
 *
 * @see Nix manual, "Store path"; nix/src/libstore/path.cc for the characters of a name
 */
import { PhylloError } from '../errors.ts';

/** An absolute store path without anything below it. Made only by `parseStorePath`. */
export type StorePath = string & { readonly __brand: 'StorePath' };

export const DEFAULT_STORE_DIR = '/nix/store';

const HASH_LENGTH = 32;
const MAX_NAME_LENGTH = 211;
const HASH_PART = /^[0-9a-df-np-sv-z]{32}$/;
const NAME = /^[0-9a-zA-Z+\-._?=]+$/;

/** @throws PhylloError STORE_PATH_INVALID, naming what is wrong with it */
export function parseStorePath(text: string, storeDir: string): StorePath {
  const problem = storePathProblem(text, storeDir);
  if (problem === undefined) return text as StorePath;
  throw new PhylloError('STORE_PATH_INVALID', `not a store path: ${JSON.stringify(text)}: ${problem}`, {
    hint: `a store path looks like ${storeDir}/<32 characters>-<name>`,
  });
}

export function isStorePath(text: string, storeDir: string): text is StorePath {
  return storePathProblem(text, storeDir) === undefined;
}

/** The 32 characters that name a store path whatever its name is. */
export function hashPart(path: StorePath): string {
  return baseName(path).slice(0, HASH_LENGTH);
}

/** The part after the hash: `hello-2.12`. */
export function storePathName(path: StorePath): string {
  return baseName(path).slice(HASH_LENGTH + 1);
}

export function isHashPart(text: string): boolean {
  return HASH_PART.test(text);
}

/** `HASH-NAME`, the store path's name in its directory. */
export function baseName(path: StorePath): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function storePathProblem(text: string, storeDir: string): string | undefined {
  if (!text.startsWith(`${storeDir}/`)) return `it is not in the store directory ${storeDir}`;
  const base = text.slice(storeDir.length + 1);
  if (base.includes('/')) return 'it goes on below the store path';
  if (base.length <= HASH_LENGTH || base[HASH_LENGTH] !== '-')
    return 'there is no hash of 32 characters and a dash';
  if (!isHashPart(base.slice(0, HASH_LENGTH))) return "the hash is not in Nix's base-32 alphabet";
  const name = base.slice(HASH_LENGTH + 1);
  if (name.length === 0) return 'the name is empty';
  if (name.length > MAX_NAME_LENGTH)
    return `the name has ${name.length} characters, and ${MAX_NAME_LENGTH} are allowed`;
  if (!NAME.test(name)) return 'the name has a character other than letters, digits and +-._?=';
  return undefined;
}
