/**
 * What the words of `--store` mean: `auto`, `DIR`, or addresses of binary caches, separated by commas or spaces.
 *
 * @see Nix manual, "Store URL format"
 */
import { PhylloError } from '../errors.ts';

export type StorePlace =
  | { readonly kind: 'root'; readonly root: string }
  | { readonly kind: 'caches'; readonly caches: readonly CachePlace[] };

export type CachePlace = DirectoryPlace | HttpPlace;

interface CacheParameters {
  /** Instead of the cache's own; the lower one is asked first. */
  readonly priority: number | undefined;
  /** Whether its word counts without signatures; undefined: nothing is said of it. */
  readonly trusted: boolean | undefined;
}

export interface DirectoryPlace extends CacheParameters {
  readonly kind: 'directory';
  readonly directory: string;
}

export interface HttpPlace extends CacheParameters {
  readonly kind: 'http';
  /** Without user, password and query. */
  readonly url: URL;
  /** As the address has them. */
  readonly user: { readonly name: string; readonly password: string } | undefined;
}

const SCHEME = /^([A-Za-z][A-Za-z0-9+.-]*):\/\//;
const WHAT_WORKS =
  'use --store auto, --store DIR, --store file://DIR or --store https://CACHE (binary caches), or --graph FILE';

/** @throws PhylloError STORE_UNSUPPORTED */
export function parseStorePlace(text: string): StorePlace {
  if (text === 'auto') return { kind: 'root', root: '/' };
  if (text.trim() === '') throw unsupported('the name of the store is empty');
  if (!text.includes('://')) return { kind: 'root', root: text };
  // A directory's name may have a comma or a space, as long as it is the only one.
  const alone = /^file:/.test(text) && text.lastIndexOf('://') === text.indexOf('://');
  const names = alone ? [text] : text.split(/[\s,]+/).filter((name) => name !== '');
  return { kind: 'caches', caches: names.map(parseCache) };
}

function parseCache(text: string): CachePlace {
  const scheme = SCHEME.exec(text)?.[1]?.toLowerCase();
  const [address = '', query = ''] = text.split(/\?(.*)/s);
  const parameters = new URLSearchParams(query);
  const common = { priority: readPriority(parameters, text), trusted: readTrusted(parameters) };
  if (scheme === 'file') return { kind: 'directory', directory: address.slice('file://'.length), ...common };
  if (scheme === 'http' || scheme === 'https') return { ...parseAddress(address), ...common };
  if (scheme === 's3') return { ...parseAddress(bucketAddress(address, parameters)), ...common };
  throw unsupported(
    scheme === undefined
      ? `${text} is no binary cache, and others are named beside it`
      : `cannot read the store ${text}: there is no way to read ${scheme} stores`,
    `copy the closure with nix copy --to file://DIR --from ${text} PATH, then ${WHAT_WORKS}`,
  );
}

function parseAddress(address: string): Pick<HttpPlace, 'kind' | 'url' | 'user'> {
  const url = URL.parse(address);
  if (url === null || url.host === '') throw unsupported('the address of a binary cache is none');
  const { username, password } = url;
  url.username = '';
  url.password = '';
  url.search = '';
  url.hash = '';
  const user =
    username === ''
      ? undefined
      : { name: decodeURIComponent(username), password: decodeURIComponent(password) };
  return { kind: 'http', url, user };
}

/** A bucket that anybody may read is a directory behind HTTP. @see Nix manual, "S3 Binary Cache Store" */
function bucketAddress(address: string, parameters: URLSearchParams): string {
  const bucket = address.slice('s3://'.length);
  const scheme = parameters.get('scheme') ?? 'https';
  const endpoint = parameters.get('endpoint');
  const region = parameters.get('region') ?? 'us-east-1';
  if (endpoint !== null) return `${SCHEME.test(endpoint) ? endpoint : `${scheme}://${endpoint}`}/${bucket}`;
  return `${scheme}://${bucket}.s3.${region}.amazonaws.com`;
}

function readPriority(parameters: URLSearchParams, text: string): number | undefined {
  const priority = parameters.get('priority');
  if (priority === null) return undefined;
  if (/^\d{1,9}$/.test(priority)) return Number(priority);
  throw unsupported(`the priority of ${text.split('?')[0]} is not a number: ${JSON.stringify(priority)}`);
}

function readTrusted(parameters: URLSearchParams): boolean | undefined {
  const trusted = parameters.get('trusted');
  return trusted === null ? undefined : trusted === 'true' || trusted === '1' || trusted === 'yes';
}

function unsupported(problem: string, hint = WHAT_WORKS): PhylloError {
  return new PhylloError('STORE_UNSUPPORTED', problem, { hint });
}
