/** Opens the store that the words of `--store` and `--graph` mean. */
import { PhylloError } from '../errors.ts';
import { type BinaryCache, invalidCache } from './binary-cache.ts';
import { authorizationFor, type CacheCredentials } from './cache-credentials.ts';
import { openDirectoryCache } from './directory-cache.ts';
import { openExportedGraph } from './exported-graph.ts';
import { NARINFO_CONNECTIONS, openHttpCache } from './http-cache.ts';
import { NO_NARINFO_CACHE, type NarinfoCache } from './narinfo-cache.ts';
import { NarinfoStore } from './narinfo-store.ts';
import { openNixDatabase } from './nix-database.ts';
import { parsePublicKey } from './signing-key.ts';
import type { Store } from './store.ts';
import { type CachePlace, parseStorePlace } from './store-place.ts';
import type { NarHttpSettings } from './tree.ts';
import type { Trust } from './trust.ts';

export interface OpenStoreOptions {
  /** `auto` (the local Nix store), `DIR` (another root), or addresses of binary caches: `file://DIR`, `https://CACHE`. */
  readonly store: string;
  /** File of an exported graph, from which path info is taken instead. */
  readonly graph?: string;
  /** Only binary caches use it. */
  readonly caches?: CacheSettings;
}

export interface CacheSettings {
  readonly http?: NarHttpSettings;
  readonly credentials?: CacheCredentials;
  /** `NAME:BASE64` each: whose signatures are believed. */
  readonly publicKeys?: readonly string[];
  /** Whether these keys were asked for by name: then directories need signatures, too. */
  readonly publicKeysGiven?: boolean;
  /** False: every cache is believed. */
  readonly checkSignatures?: boolean;
  /** What caches answered in earlier runs; the store closes it. */
  readonly narinfos?: NarinfoCache;
}

/** Of https://cache.nixos.org. @see Nix manual, "trusted-public-keys" */
export const NIXOS_CACHE_KEY = 'cache.nixos.org-1:6NCHdD59X431o0gWypbMrAURkbJ16ZPMQFGspcDShjY=';

/**
 * The caller closes it.
 * @throws PhylloError STORE_UNSUPPORTED, DATABASE_UNREADABLE, BINARY_CACHE_INVALID, BINARY_CACHE_DENIED, NETWORK_FAILED,
 * SIGNING_KEY_INVALID, GRAPH_INVALID, FILE_UNREADABLE
 */
export async function openStore({ store, graph, caches = {} }: OpenStoreOptions): Promise<Store> {
  const place = parseStorePlace(store);
  if (place.kind === 'caches' && graph === undefined) return await openCaches(place.caches, caches);
  caches.narinfos?.close();
  if (graph === undefined && place.kind === 'root') return openNixDatabase(place);
  if (place.kind === 'root') return openExportedGraph({ file: graph as string, storeRoot: place.root });
  throw new PhylloError(
    'STORE_UNSUPPORTED',
    `the graph ${graph} cannot be used with the binary cache ${store}`,
    {
      hint: 'leave out --graph: a binary cache has path info of its own',
    },
  );
}

async function openCaches(places: readonly CachePlace[], settings: CacheSettings): Promise<Store> {
  const narinfos = settings.narinfos ?? NO_NARINFO_CACHE;
  const opened: BinaryCache[] = [];
  const close = (): void => {
    for (const cache of opened) cache.close();
    narinfos.close();
  };
  try {
    const prioritised = await Promise.all(
      places.map(async (place) => {
        const cache = await openCache(place, { ...settings, narinfos });
        opened.push(cache);
        return { cache, priority: place.priority ?? cache.info.priority };
      }),
    );
    // Of equal ones the first named comes first.
    const caches = prioritised.toSorted((left, right) => left.priority - right.priority);
    requireOneStoreDir(opened);
    const concurrency = NARINFO_CONNECTIONS;
    return new NarinfoStore({ caches: caches.map(({ cache }) => cache), concurrency, close });
  } catch (error) {
    close();
    throw error;
  }
}

async function openCache(
  place: CachePlace,
  settings: CacheSettings & { readonly narinfos: NarinfoCache },
): Promise<BinaryCache> {
  const trust = trustFor(place, settings);
  if (place.kind === 'directory') return openDirectoryCache({ ...place, trust });
  const { http = {}, credentials, narinfos } = settings;
  const authorization = authorizationFor(place, credentials);
  return await openHttpCache({ url: place.url, authorization, trust, http, narinfos });
}

/** A directory is the user's own: it needs signatures only where somebody says so. */
function trustFor(
  { kind, trusted }: CachePlace,
  { publicKeys = [], publicKeysGiven = false, checkSignatures = true }: CacheSettings,
): Trust {
  const isTrusted = trusted ?? (kind === 'directory' && !publicKeysGiven);
  return isTrusted || !checkSignatures ? 'everything' : { keys: publicKeys.map(parsePublicKey) };
}

function requireOneStoreDir(caches: readonly BinaryCache[]): void {
  const [first, ...others] = caches as [BinaryCache, ...BinaryCache[]];
  const other = others.find(({ info }) => info.storeDir !== first.info.storeDir);
  if (other === undefined) return;
  throw invalidCache(
    `${first.name} is for ${first.info.storeDir}, and ${other.name} for ${other.info.storeDir}: they cannot be used together`,
  );
}
