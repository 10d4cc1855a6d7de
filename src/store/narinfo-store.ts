/**
 * A store of one binary cache or several: the first one that has a path, and can be trusted with it, wins.
 *
 * A closure is found as fast as answers come: whatever a narinfo refers to is asked for at once, many at a time, and not
 * generation by generation. So it takes about as many round trips as the longest chain of references has steps.
 */
import pLimit from 'p-limit';
import { PhylloError } from '../errors.ts';
import type { BinaryCache } from './binary-cache.ts';
import { completeClosure } from './closure.ts';
import type { Vouched } from './content-address.ts';
import { parseNarinfo, type Narinfo } from './narinfo.ts';
import { hashPart as hashPartOf, isHashPart, type StorePath } from './store-path.ts';
import type { Closure, Store } from './store.ts';
import type { NarSource, TreeSource } from './tree.ts';
import { judge, untrusted } from './trust.ts';

export interface NarinfoStoreOptions {
  /** In the order in which they are asked; at least one, all with the same store directory. */
  readonly caches: readonly BinaryCache[];
  /** Narinfos that are read at a time. */
  readonly concurrency: number;
  /** Called when the store is closed; idempotent. */
  readonly close: () => void;
}

interface Found {
  readonly narinfo: Narinfo;
  readonly source: NarSource;
}

const COMPRESSIONS = {
  none: 'none',
  xz: 'xz',
  zstd: 'zstd',
  gzip: 'gzip',
  bzip2: 'bzip2',
  br: 'br',
} as const satisfies Record<string, NarSource['compression']>;
const SCHEME = /^[A-Za-z][A-Za-z0-9+.-]*:/;

export class NarinfoStore implements Store {
  readonly storeDir: string;
  readonly #caches: readonly BinaryCache[];
  readonly #close: () => void;
  readonly #limit: ReturnType<typeof pLimit>;
  /** What has been asked for, by hash part. */
  readonly #asked = new Map<string, Promise<Found | undefined>>();
  /** What has been found, by path. */
  readonly #sources = new Map<StorePath, NarSource>();

  constructor({ caches, concurrency, close }: NarinfoStoreOptions) {
    this.storeDir = (caches[0] as BinaryCache).info.storeDir;
    this.#caches = caches;
    this.#limit = pLimit(concurrency);
    this.#close = close;
  }

  async closure(roots: readonly StorePath[]): Promise<Closure> {
    const lookUp = (paths: readonly StorePath[]) => Promise.all(paths.map((path) => this.#lookUp(path)));
    return completeClosure(roots, { storeDir: this.storeDir, lookUp });
  }

  async findByHashPart(hashPart: string): Promise<StorePath | undefined> {
    if (!isHashPart(hashPart)) return undefined;
    return (await this.#ask(hashPart))?.narinfo.path;
  }

  treeSource(path: StorePath): TreeSource {
    const source = this.#sources.get(path);
    if (source === undefined) throw new RangeError(`not in a closure that was asked for: ${path}`);
    return source;
  }

  close(): void {
    this.#close();
  }

  async #lookUp(path: StorePath): Promise<Narinfo | undefined> {
    const found = await this.#askAll(path);
    if (found === undefined) return undefined;
    const { narinfo, source } = found;
    if (narinfo.path !== path) throw otherPath(path, narinfo.path);
    this.#sources.set(path, source);
    return narinfo;
  }

  /** Asks for the path, and for what it refers to as soon as that is known. */
  async #askAll(path: StorePath): Promise<Found | undefined> {
    const found = await this.#ask(hashPartOf(path));
    for (const reference of found?.narinfo.references ?? []) {
      if (this.#asked.has(hashPartOf(reference))) continue;
      // Whoever looks the path up hears of a failure.
      this.#askAll(reference).catch(() => undefined);
    }
    return found;
  }

  #ask(hashPart: string): Promise<Found | undefined> {
    let asked = this.#asked.get(hashPart);
    if (asked === undefined) {
      asked = this.#limit(() => this.#find(hashPart));
      this.#asked.set(hashPart, asked);
    }
    return asked;
  }

  async #find(hashPart: string): Promise<Found | undefined> {
    let problem: PhylloError | undefined;
    for (const cache of this.#caches) {
      const found = await this.#findIn(cache, hashPart);
      if (found !== undefined && !(found instanceof PhylloError)) return found;
      problem ??= found;
    }
    if (problem !== undefined) throw problem;
    return undefined;
  }

  /** What an earlier run was told and is of no use now is asked for again. */
  async #findIn(cache: BinaryCache, hashPart: string): Promise<Found | PhylloError | undefined> {
    const read = async (fresh: boolean): Promise<Found | PhylloError | undefined> => {
      const text = await cache.readNarinfo(hashPart, { fresh });
      return text === undefined ? undefined : this.#judge(text, { cache, hashPart });
    };
    if (!cache.remembers) return await read(true);
    const found = await read(false).catch((error: unknown) => {
      if (error instanceof PhylloError && error.code === 'NARINFO_INVALID') return error;
      throw error;
    });
    return found instanceof PhylloError ? await read(true) : found;
  }

  /** An error where the cache cannot be trusted with the path, but another one may. */
  #judge(
    text: string,
    { cache, hashPart }: { readonly cache: BinaryCache; readonly hashPart: string },
  ): Found | PhylloError {
    const name = `${cache.name}/${hashPart}.narinfo`;
    const { storeDir } = this;
    const narinfo = parseNarinfo(text, { storeDir, name });
    if (hashPartOf(narinfo.path) !== hashPart) throw otherPath(hashPart, narinfo.path, cache);
    const { trust } = cache;
    const verdict = judge(narinfo, { trust, storeDir });
    if (!verdict.trusted)
      return untrusted(narinfo, { cache: cache.name, keys: trust === 'everything' ? [] : trust.keys });
    return { narinfo, source: { ...narSource(narinfo, cache), ...leftToCompare(verdict.vouched, hashPart) } };
  }
}

/** What the address of a path that nobody signed vouches for, besides the NAR's hash. */
function leftToCompare(
  vouched: Vouched | undefined,
  hashPart: string,
): Pick<NarSource, 'contentHash' | 'modulo'> {
  if (vouched?.by === 'contents') return { contentHash: vouched.hash };
  return vouched?.by === 'modulo' ? { modulo: { hash: vouched.hash, hashPart } } : {};
}

function narSource(narinfo: Narinfo, cache: BinaryCache): NarSource {
  const { path, url, compression, narHash, narSize, fileHash, fileSize } = narinfo;
  if (!isCompression(compression)) throw unsupported(path, { compression, cache });
  if (!isWithin(url)) throw outside(path, { url, cache });
  return {
    kind: 'nar',
    ...cache.narPlace(url),
    compression: COMPRESSIONS[compression],
    narHash,
    narSize,
    ...(fileHash === undefined ? {} : { fileHash }),
    ...(fileSize === undefined ? {} : { fileSize }),
  };
}

function isCompression(text: string): text is keyof typeof COMPRESSIONS {
  return Object.hasOwn(COMPRESSIONS, text);
}

/** Relative, without a step upwards and without what only an address has. */
function isWithin(url: string): boolean {
  if (SCHEME.test(url) || url.includes('\0') || url.includes('\\')) return false;
  return url.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
}

function otherPath(wanted: string, found: StorePath, cache?: BinaryCache): PhylloError {
  return new PhylloError(
    'NARINFO_INVALID',
    `${cache === undefined ? 'a binary cache' : `the binary cache ${cache.name}`} was asked for ${wanted} and describes ${found}`,
    { hint: 'the narinfo was renamed or replaced: copy the path to the cache again' },
  );
}

function unsupported(
  path: StorePath,
  { compression, cache }: { readonly compression: string; readonly cache: BinaryCache },
): PhylloError {
  return new PhylloError(
    'STORE_UNSUPPORTED',
    `cannot read ${path} from ${cache.name}: its NAR is compressed with ${compression}`,
    {
      hint: `copy it again with nix copy --to 'file://DIR?compression=zstd'; ${Object.keys(COMPRESSIONS).join(', ')} can be read`,
    },
  );
}

function outside(
  path: StorePath,
  { url, cache }: { readonly url: string; readonly cache: BinaryCache },
): PhylloError {
  return new PhylloError(
    'NARINFO_INVALID',
    `cannot read ${path} from ${cache.name}: its URL ${JSON.stringify(url)} leads out of the cache`,
    { hint: 'a NAR must be below the directory of its cache: copy the path to the cache again' },
  );
}
