/** A store of one binary cache in a directory, which is believed. */
import { openDirectoryCache } from '../../../src/store/directory-cache.ts';
import { NarinfoStore } from '../../../src/store/narinfo-store.ts';

export function openBinaryCache({ directory }: { readonly directory: string }): NarinfoStore {
  const cache = openDirectoryCache({ directory, trust: 'everything' });
  return new NarinfoStore({ caches: [cache], concurrency: 32, close: () => undefined });
}
