/** A store whose path info is in narinfos, wherever those are read. */
import { PhylloError } from '../errors.ts';
import { completeClosure } from './closure.ts';
import { parseNarinfo, type Narinfo } from './narinfo.ts';
import { hashPart as hashPartOf, isHashPart, type StorePath } from './store-path.ts';
import type { Closure, Store } from './store.ts';
import type { NarCompression, NarSource, TreeSource } from './tree.ts';

export interface NarinfoStoreOptions {
  readonly storeDir: string;
  /** How errors call the cache: its directory or address. */
  readonly name: string;
  /** The text of `HASH.narinfo`; undefined when the cache has none. */
  readonly readNarinfo: (file: string) => Promise<string | undefined>;
  /** Where the NAR is on disk. @param url relative, and within the cache */
  readonly narLocation: (url: string) => string;
}

/** Hides the latency of a cache without using up file descriptors or connections. */
const CONCURRENT_READS = 32;
const COMPRESSIONS: ReadonlySet<string> = new Set<NarCompression>(['none', 'xz', 'zstd']);
const SCHEME = /^[A-Za-z][A-Za-z0-9+.-]*:/;

export class NarinfoStore implements Store {
  readonly storeDir: string;
  readonly #options: NarinfoStoreOptions;
  /** What has been read, by path. */
  readonly #sources = new Map<StorePath, NarSource>();

  constructor(options: NarinfoStoreOptions) {
    this.storeDir = options.storeDir;
    this.#options = options;
  }

  async closure(roots: readonly StorePath[]): Promise<Closure> {
    const lookUp = (paths: readonly StorePath[]) => mapConcurrently(paths, (path) => this.#lookUp(path));
    return completeClosure(roots, { storeDir: this.storeDir, lookUp });
  }

  async findByHashPart(hashPart: string): Promise<StorePath | undefined> {
    if (!isHashPart(hashPart)) return undefined;
    const path = (await this.#read(hashPart))?.path;
    if (path !== undefined && hashPartOf(path) !== hashPart) throw this.#otherPath(hashPart, path);
    return path;
  }

  treeSource(path: StorePath): TreeSource {
    const source = this.#sources.get(path);
    if (source === undefined) throw new RangeError(`not in a closure that was asked for: ${path}`);
    return source;
  }

  close(): void {
    // Nothing is open.
  }

  async #lookUp(path: StorePath): Promise<Narinfo | undefined> {
    const narinfo = await this.#read(hashPartOf(path));
    if (narinfo === undefined) return undefined;
    if (narinfo.path !== path) throw this.#otherPath(path, narinfo.path);
    this.#sources.set(path, this.#narSource(narinfo));
    return narinfo;
  }

  /** What `HASH.narinfo` says, which may be of another path. */
  async #read(hashPart: string): Promise<Narinfo | undefined> {
    const file = `${hashPart}.narinfo`;
    const name = `${this.#options.name}/${file}`;
    const text = await this.#options.readNarinfo(file);
    if (text === undefined) return undefined;
    return parseNarinfo(text, { storeDir: this.storeDir, name });
  }

  #narSource({ path, url, compression, narHash, narSize }: Narinfo): NarSource {
    if (!isCompression(compression)) throw this.#unsupported(path, compression);
    if (!isWithin(url)) throw this.#outside(path, url);
    return { kind: 'nar', location: this.#options.narLocation(url), compression, narHash, narSize };
  }

  #otherPath(wanted: string, found: StorePath): PhylloError {
    return new PhylloError(
      'NARINFO_INVALID',
      `the binary cache ${this.#options.name} was asked for ${wanted} and describes ${found}`,
      { hint: 'the narinfo was renamed or replaced: copy the path to the cache again' },
    );
  }

  #unsupported(path: StorePath, compression: string): PhylloError {
    return new PhylloError(
      'STORE_UNSUPPORTED',
      `cannot read ${path} from ${this.#options.name}: its NAR is compressed with ${compression}`,
      { hint: "copy it again with nix copy --to 'file://DIR?compression=zstd', or with xz or none" },
    );
  }

  #outside(path: StorePath, url: string): PhylloError {
    return new PhylloError(
      'NARINFO_INVALID',
      `cannot read ${path} from ${this.#options.name}: its URL ${JSON.stringify(url)} leads out of the cache`,
      { hint: 'a NAR must be below the directory of its cache: copy the path to the cache again' },
    );
  }
}

/** Results in the order of `items`. The first error ends it. */
async function mapConcurrently<T, R>(items: readonly T[], map: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const rest = items.entries();
  const work = async () => {
    for (const [index, item] of rest) results[index] = await map(item);
  };
  await Promise.all(Array.from({ length: Math.min(CONCURRENT_READS, items.length) }, work));
  return results;
}

function isCompression(text: string): text is NarCompression {
  return COMPRESSIONS.has(text);
}

/** Relative, without a step upwards and without what only an address has. */
function isWithin(url: string): boolean {
  if (SCHEME.test(url) || url.includes('\0')) return false;
  return url.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
}
