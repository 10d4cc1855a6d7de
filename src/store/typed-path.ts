/** Store paths as people type them: whole, the hash part alone, or without the store directory. */
import { PhylloError } from '../errors.ts';
import { isHashPart, parseStorePath, type StorePath } from './store-path.ts';
import type { Store } from './store.ts';

const HASH_LENGTH = 32;

/** Whether the text is no path of a file system and may be a store path all the same. */
export function isTypedPath(text: string): boolean {
  return (
    !text.includes('/') && isHashPart(text.slice(0, HASH_LENGTH)) && /^(-.|$)/.test(text.slice(HASH_LENGTH))
  );
}

/**
 * The store path that is meant; a whole one is not looked up.
 * @throws PhylloError STORE_PATH_INVALID, STORE_PATH_UNKNOWN, and what the store throws
 */
export async function resolveTypedPath(
  text: string,
  store: Pick<Store, 'storeDir' | 'findByHashPart'>,
): Promise<StorePath> {
  const { storeDir } = store;
  if (!isTypedPath(text)) return parseStorePath(text, storeDir);
  if (text.length > HASH_LENGTH) return parseStorePath(`${storeDir}/${text}`, storeDir);
  const found = await store.findByHashPart(text);
  if (found !== undefined) return found;
  throw new PhylloError('STORE_PATH_UNKNOWN', `no path in the store has the hash part ${text}`, {
    hint: 'build or fetch it first, or look for it in another store with --store',
  });
}
