/** A binary cache behind HTTP. @see Nix manual, "HTTP Binary Cache Store" */
import { PhylloError } from '../errors.ts';
import { HttpClient } from '../http/http-client.ts';
import { describeUrl } from '../http/network-error.ts';
import {
  type BinaryCache,
  CACHE_INFO,
  type CacheInfo,
  invalidCache,
  parseCacheInfo,
} from './binary-cache.ts';
import { cacheDenied } from './cache-answers.ts';
import { MAX_NARINFO_LENGTH } from './narinfo.ts';
import type { NarinfoCache } from './narinfo-cache.ts';
import type { NarHttpSettings, NarSource } from './tree.ts';
import type { Trust } from './trust.ts';

export interface HttpCacheOptions {
  /** Of the cache's directory, without user, password and query. */
  readonly url: URL;
  readonly authorization: string | undefined;
  readonly trust: Trust;
  readonly http: NarHttpSettings;
  /** Answers of earlier runs. */
  readonly narinfos: NarinfoCache;
}

/** Requests for narinfos on their way at a time: they are small, and what takes time is the way to the server and back. */
export const NARINFO_CONNECTIONS = 64;
const MAX_INFO_LENGTH = 64 * 1024;

/** @throws PhylloError BINARY_CACHE_INVALID, BINARY_CACHE_DENIED, NETWORK_FAILED */
export async function openHttpCache(options: HttpCacheOptions): Promise<BinaryCache> {
  const requests = new CacheRequests(options);
  try {
    return new HttpCache(options, { requests, info: await readInfo(options, requests) });
  } catch (error) {
    requests.close();
    throw error;
  }
}

async function readInfo({ narinfos }: HttpCacheOptions, requests: CacheRequests): Promise<CacheInfo> {
  const { name } = requests;
  const known = narinfos.find(name, CACHE_INFO)?.text;
  const text = known ?? (await requests.get(CACHE_INFO, MAX_INFO_LENGTH));
  if (text === undefined) throw invalidCache(`${name} has no ${CACHE_INFO}`);
  const info = parseCacheInfo(text, `${name}/${CACHE_INFO}`);
  if (known === undefined) narinfos.add(name, CACHE_INFO, text);
  return info;
}

interface Opened {
  readonly requests: CacheRequests;
  readonly info: CacheInfo;
}

class HttpCache implements BinaryCache {
  readonly name: string;
  readonly info: CacheInfo;
  readonly trust: Trust;
  readonly remembers = true;
  readonly #options: HttpCacheOptions;
  readonly #requests: CacheRequests;

  constructor(options: HttpCacheOptions, { requests, info }: Opened) {
    this.name = requests.name;
    this.info = info;
    this.trust = options.trust;
    this.#options = options;
    this.#requests = requests;
  }

  async readNarinfo(hashPart: string, { fresh }: { readonly fresh: boolean }): Promise<string | undefined> {
    const { narinfos } = this.#options;
    const known = fresh ? undefined : narinfos.find(this.name, hashPart);
    if (known !== undefined) return known.text;
    const text = await this.#requests.get(`${hashPart}.narinfo`, MAX_NARINFO_LENGTH);
    narinfos.add(this.name, hashPart, text);
    return text;
  }

  narPlace(url: string): Pick<NarSource, 'location' | 'remote'> {
    const address = this.#requests.resolve(url);
    const { http } = this.#options;
    const remote = { url: address.href, headers: this.#requests.headers, http };
    return { location: describeUrl(address), remote };
  }

  close(): void {
    this.#requests.close();
  }
}

class CacheRequests {
  readonly name: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly #base: URL;
  readonly #client: HttpClient;

  constructor({ url, authorization, http }: HttpCacheOptions) {
    this.name = describeUrl(url).replace(/\/+$/, '');
    this.#base = new URL(`${this.name}/`);
    this.headers = authorization === undefined ? {} : { authorization };
    // Many small answers share one connection. NARs, few and large, are better off with one each.
    this.#client = new HttpClient({ ...http, maxConnections: NARINFO_CONNECTIONS, http2: true });
  }

  /** @throws PhylloError BINARY_CACHE_INVALID when it leads out of the cache */
  resolve(path: string): URL {
    const url = new URL(path, this.#base);
    if (url.href.startsWith(this.#base.href)) return url;
    throw invalidCache(`${this.name}: ${JSON.stringify(path)} leads out of it`);
  }

  /**
   * A file's text, undefined when there is none. Buckets that nobody may list answer 403 for files that are not there.
   * @throws PhylloError BINARY_CACHE_DENIED, NETWORK_FAILED
   */
  async get(file: string, limit: number): Promise<string | undefined> {
    const url = this.resolve(file);
    const response = await this.#client.send({ url, headers: this.headers });
    const { status } = response;
    if (status === 200) return await response.text(limit);
    await response.discard();
    if (status === 404 || status === 410 || (status === 403 && file !== CACHE_INFO)) return undefined;
    if (status === 401 || status === 403 || status === 407) throw cacheDenied(describeUrl(url), status);
    throw new PhylloError('NETWORK_FAILED', `${describeUrl(url)} answers with status ${status}`, {
      hint: 'try again later, or name another cache with --store',
    });
  }

  close(): void {
    void this.#client.close();
  }
}
