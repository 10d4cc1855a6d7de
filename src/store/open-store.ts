/** Which store the words of `--store` and `--graph` mean. */
import { PhylloError } from '../errors.ts';
import { openBinaryCache } from './binary-cache.ts';
import { openExportedGraph } from './exported-graph.ts';
import { openNixDatabase } from './nix-database.ts';
import type { Store } from './store.ts';

export interface OpenStoreOptions {
  /** `auto` (the local Nix store), `DIR` (another root), or `file://DIR` (a binary cache). */
  readonly store: string;
  /** File of an exported graph, from which path info is taken instead. */
  readonly graph?: string;
}

type Place =
  { readonly kind: 'root'; readonly root: string } | { readonly kind: 'cache'; readonly directory: string };

const SCHEME = /^([A-Za-z][A-Za-z0-9+.-]*):\/\//;
const WHAT_WORKS = 'use --store auto, --store DIR, --store file://DIR (a binary cache), or --graph FILE';

/**
 * The caller closes it.
 * @throws PhylloError STORE_UNSUPPORTED, DATABASE_UNREADABLE, BINARY_CACHE_INVALID, GRAPH_INVALID, FILE_UNREADABLE
 */
export async function openStore({ store, graph }: OpenStoreOptions): Promise<Store> {
  const place = parsePlace(store);
  if (graph === undefined) return place.kind === 'root' ? openNixDatabase(place) : openBinaryCache(place);
  if (place.kind === 'root') return openExportedGraph({ file: graph, storeRoot: place.root });
  throw new PhylloError(
    'STORE_UNSUPPORTED',
    `the graph ${graph} cannot be used with the binary cache ${store}`,
    {
      hint: 'leave out --graph: a binary cache has path info of its own',
    },
  );
}

function parsePlace(store: string): Place {
  if (store === 'auto') return { kind: 'root', root: '/' };
  if (store === '')
    throw new PhylloError('STORE_UNSUPPORTED', 'the name of the store is empty', { hint: WHAT_WORKS });
  const scheme = SCHEME.exec(store);
  if (scheme === null) return { kind: 'root', root: store };
  const rest = store.slice(scheme[0].length);
  if (scheme[1] === 'file') return { kind: 'cache', directory: withoutParameters(rest) };
  throw new PhylloError(
    'STORE_UNSUPPORTED',
    `cannot read the store ${store}: no network store can be read yet`,
    {
      hint: `copy the closure with nix copy --to file://DIR --from ${store} PATH, then ${WHAT_WORKS}`,
    },
  );
}

/** Nix's parameters (`?compression=zstd`) are about writing. */
function withoutParameters(location: string): string {
  return location.replace(/\?.*$/s, '');
}
