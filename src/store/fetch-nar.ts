/**
 * Fetches a NAR over HTTP. A download that breaks is taken up where it broke, by range where the server can do that.
 *
 * @see RFC 9110, section 14 (range requests) and 13.1.5 (If-Range)
 */
import { PhylloError } from '../errors.ts';
import type { HttpResponse } from '../http/http-response.ts';
import { isWorthRepeating, waitBeforeRetry } from '../http/retry.ts';
import { cacheDenied } from './cache-answers.ts';
import { clientFor } from './cache-client.ts';
import type { NarSource, RemoteNar } from './tree.ts';

export type RemoteSource = NarSource & { readonly remote: RemoteNar };

const MOST_BREAKS = 5;
/** A download that gets so far between two breaks may break again as often. */
const PROGRESS_BYTES = 1024 * 1024;

/** Answers that were asked for before anybody reads them. */
const asked = new WeakMap<RemoteNar, Promise<HttpResponse>>();

/** Asks for the NAR now, so that it is on its way when it is read. Whoever may not read it calls `forgetNar`. */
export function askForNar(source: RemoteSource): void {
  const answer = request(source, {});
  // Whoever reads the NAR hears of it.
  answer.catch(() => undefined);
  asked.set(source.remote, answer);
}

export async function forgetNar({ remote }: RemoteSource): Promise<void> {
  const answer = asked.get(remote);
  asked.delete(remote);
  await (await answer?.catch(() => undefined))?.discard();
}

/** @throws PhylloError NETWORK_FAILED, NAR_MISSING, BINARY_CACHE_DENIED */
export async function* fetchNar(source: RemoteSource): AsyncGenerator<Uint8Array, void, undefined> {
  let at = 0;
  let etag: string | undefined;
  let breaks = 0;
  for (let from = 0; ; from = at) {
    let isAnswered = at > 0;
    try {
      const response = at === 0 ? await firstAnswer(source) : await request(source, { from: at, etag });
      // A server may have enough of an answer that was asked for ahead and waits to be read.
      isAnswered = true;
      if (at === 0) etag = response.header('etag');
      for await (const chunk of bodyFrom(response, at)) {
        at += chunk.length;
        yield chunk;
      }
      if (isWhole(response, { at, ...source }) || breaks >= MOST_BREAKS) return;
    } catch (error) {
      if (!isAnswered || breaks >= MOST_BREAKS || !isWorthRepeating(error)) throw error;
    }
    breaks = at - from >= PROGRESS_BYTES ? 1 : breaks + 1;
    await waitBeforeRetry(undefined, { ...source.remote.http, attempt: breaks });
  }
}

/** An answer that does not say its length may have been cut off without an error. */
function isWhole(
  response: HttpResponse,
  { at, fileSize = at }: { readonly at: number; readonly fileSize?: number },
): boolean {
  return response.header('content-length') !== undefined || at >= fileSize;
}

async function firstAnswer(source: RemoteSource): Promise<HttpResponse> {
  const answer = asked.get(source.remote);
  asked.delete(source.remote);
  return await (answer ?? request(source, {}));
}

interface Range {
  readonly from?: number;
  readonly etag?: string | undefined;
}

async function request(source: RemoteSource, { from = 0, etag }: Range): Promise<HttpResponse> {
  const { url, headers, http } = source.remote;
  const range = from === 0 ? {} : { range: `bytes=${from}-`, ...ifRange(etag) };
  // What is compressed already comes as it is.
  const all = { 'accept-encoding': 'identity', ...headers, ...range };
  const response = await clientFor(http).send({ url: new URL(url), headers: all });
  if (response.status === 200 || response.status === 206) return response;
  await response.discard();
  throw refused(source, response.status);
}

/** A weak one says nothing about bytes. */
function ifRange(etag: string | undefined): Readonly<Record<string, string>> {
  return etag === undefined || etag.startsWith('W/') ? {} : { 'if-range': etag };
}

/** What follows the first `at` bytes. A server that knows no ranges, or has another file now, sends it from its beginning. */
async function* bodyFrom(response: HttpResponse, at: number): AsyncGenerator<Uint8Array, void, undefined> {
  let skip = at - startOf(response);
  for await (const chunk of response.body()) {
    const rest = chunk.subarray(Math.min(skip, chunk.length));
    skip -= chunk.length - rest.length;
    if (rest.length > 0) yield rest;
  }
}

function startOf(response: HttpResponse): number {
  if (response.status !== 206) return 0;
  return Number(/^bytes (\d+)-/.exec(response.header('content-range') ?? '')?.[1] ?? 0);
}

function refused({ location }: RemoteSource, status: number): PhylloError {
  if (status === 401 || status === 403 || status === 407) return cacheDenied(location, status);
  if (status === 404 || status === 410)
    return new PhylloError(
      'NAR_MISSING',
      `the binary cache has no NAR at ${location} (HTTP status ${status})`,
      {
        hint: 'it may have been removed since its narinfo was read: run again with --no-narinfo-cache, or name another cache with --store',
      },
    );
  return new PhylloError(
    'NETWORK_FAILED',
    `cannot fetch ${location}: the server answers with status ${status}`,
    {
      hint: 'try again later, or name another cache with --store',
    },
  );
}
