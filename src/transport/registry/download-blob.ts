/** A blob's bytes, gone on with where a connection was cut. @see OCI distribution-spec v1.1, "Pulling blobs"; RFC 9110, section 14 */
import { PhylloError } from '../../errors.ts';
import type { HttpResponse } from '../../http/http-response.ts';
import { isWorthRepeating, waitBeforeRetry } from '../../http/retry.ts';
import type { Descriptor, Repository } from '../../image/blob.ts';
import type { RegistryClient } from './registry-client.ts';
import { registryError } from './registry-error.ts';
import { pullScope, repositoryPath } from './repository-paths.ts';

export interface BlobToDownload extends Pick<Repository, 'repository'>, Pick<Descriptor, 'digest' | 'size'> {
  readonly signal?: AbortSignal | undefined;
}

/** Attempts in a row that bring no byte. */
const MAX_FRUITLESS = 4;

/**
 * Not verified: whoever takes the bytes hashes them. They may be more or fewer than `size` where the registry says so.
 * @throws PhylloError NETWORK_FAILED, REGISTRY_FAILED, REGISTRY_UNAUTHORIZED; the signal's reason
 */
export async function* downloadBlob(
  client: RegistryClient,
  blob: BlobToDownload,
): AsyncGenerator<Uint8Array, void, undefined> {
  let at = 0;
  for (let fruitless = 0; ; fruitless += 1) {
    const before = at;
    try {
      for await (const chunk of await bytesFrom(client, { ...blob, at })) {
        at += chunk.length;
        yield chunk;
      }
      return;
    } catch (error) {
      blob.signal?.throwIfAborted();
      if (at > before) fruitless = 0;
      const isOver = at >= blob.size || fruitless === MAX_FRUITLESS;
      if (isOver || !isWorthRepeating(error)) throw error;
    }
    await waitBeforeRetry(undefined, { attempt: fruitless + 1, signal: blob.signal });
  }
}

interface BlobRest extends BlobToDownload {
  /** Byte offset of the first one that is wanted. */
  readonly at: number;
}

async function bytesFrom(
  client: RegistryClient,
  { repository, digest, at, signal }: BlobRest,
): Promise<AsyncIterable<Uint8Array>> {
  const response = await client.send({
    to: repositoryPath(repository, `blobs/${digest}`),
    scopes: [pullScope(repository)],
    headers: at === 0 ? {} : { range: `bytes=${at}-` },
    signal,
  });
  const what = `the blob ${digest} of ${client.host}/${repository}`;
  if (response.status === 200) return at === 0 ? response.body() : skip(response.body(), at);
  if (response.status !== 206 || at === 0) throw await registryError(response, `cannot read ${what}`);
  await requireStart(response, { at, what });
  return response.body();
}

async function requireStart(
  response: HttpResponse,
  { at, what }: { readonly at: number; readonly what: string },
): Promise<void> {
  const [, start] = /^bytes (\d+)-/.exec(response.header('content-range') ?? '') ?? [];
  if (Number(start) === at) return;
  await response.discard();
  throw new PhylloError(
    'REGISTRY_FAILED',
    `cannot go on reading ${what}: the registry answers with another part`,
    {
      hint: 'run again; if it comes again, tell whoever runs the registry',
    },
  );
}

/** A server need not know of parts. */
async function* skip(
  chunks: AsyncIterable<Uint8Array>,
  count: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  let left = count;
  for await (const chunk of chunks) {
    if (chunk.length > left) yield chunk.subarray(left);
    left = Math.max(0, left - chunk.length);
  }
}
