/** What a store knows of the store paths of an image that exists. */
import { PhylloError } from './errors.ts';
import { type CacheSettings, openStore } from './store/open-store.ts';
import type { Closure } from './store/store.ts';
import { parseStorePath } from './store/store-path.ts';

export interface FindClosureOptions {
  /** As `openStore` takes it; default: the local store where it has the paths. */
  readonly store?: string;
  /** File of an exported graph, which is asked instead. */
  readonly graph?: string;
  readonly caches?: CacheSettings;
}

/**
 * The closure of the paths; undefined where there is none, or where no store was asked for and the local one does not have them all.
 * @throws PhylloError what a store that was asked for throws
 */
export async function findClosure(
  paths: readonly string[],
  { store: place, graph, caches }: FindClosureOptions,
): Promise<Closure | undefined> {
  if (paths.length === 0) return undefined;
  const asked = { ...(graph === undefined ? {} : { graph }), ...(caches === undefined ? {} : { caches }) };
  try {
    const store = await openStore({ store: place ?? 'auto', ...asked });
    try {
      return await store.closure(paths.map((path) => parseStorePath(path, store.storeDir)));
    } finally {
      store.close();
    }
  } catch (error) {
    const isAsked = place !== undefined || graph !== undefined;
    if (isAsked || !(error instanceof PhylloError)) throw error;
    return undefined;
  }
}
