/** Blobs in a registry. @see OCI distribution-spec v1.1, "Pulling blobs", "Mounting a blob from another repository" */
import type { Digest } from '../../digest.ts';
import { verified } from '../verified.ts';
import type { RegistryClient } from './registry-client.ts';
import { registryError } from './registry-error.ts';
import { pullScope, pushScope, repositoryPath } from './repository-paths.ts';
import { type UploadSession, sessionAfter } from './upload-session.ts';

export interface BlobName {
  readonly repository: string;
  readonly digest: Digest;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Whether the repository has the blob.
 * @throws PhylloError NETWORK_FAILED, REGISTRY_FAILED, REGISTRY_UNAUTHORIZED
 */
export async function headBlob(
  client: RegistryClient,
  { repository, digest, signal, forPush = false }: BlobName & { readonly forPush?: boolean },
): Promise<boolean> {
  const response = await client.send({
    method: 'HEAD',
    to: repositoryPath(repository, `blobs/${digest}`),
    scopes: [forPush ? pushScope(repository) : pullScope(repository)],
    signal,
  });
  await response.discard();
  if (response.status === 404) return false;
  if (response.status === 200) return true;
  throw await registryError(response, `cannot ask ${client.host}/${repository} for the blob ${digest}`);
}

/**
 * The blob's bytes, which are verified when their end is reached.
 * @param blob its size in bytes, where it is known
 * @throws PhylloError NETWORK_FAILED, REGISTRY_FAILED, REGISTRY_UNAUTHORIZED, ARCHIVE_INVALID
 */
export async function* getBlob(
  client: RegistryClient,
  { repository, digest, size, signal }: BlobName & { readonly size?: number | undefined },
): AsyncGenerator<Uint8Array, void, undefined> {
  const what = `the blob ${digest} of ${client.host}/${repository}`;
  const response = await client.send({
    to: repositoryPath(repository, `blobs/${digest}`),
    scopes: [pullScope(repository)],
    signal,
  });
  if (response.status !== 200) throw await registryError(response, `cannot read ${what}`);
  yield* verified(response.body(), { digest, what, ...(size === undefined ? {} : { size }) });
}

/**
 * Makes the blob one of the repository's, too, if the registry has it in the other repository and allows it.
 * @returns an upload that the registry has begun instead, or undefined: the blob is mounted
 */
export async function mountBlob(
  client: RegistryClient,
  { repository, digest, from, signal }: BlobName & { readonly from: string },
): Promise<UploadSession | undefined> {
  const query = new URLSearchParams({ mount: digest, from });
  const response = await client.send({
    method: 'POST',
    to: repositoryPath(repository, `blobs/uploads/?${query.toString()}`),
    scopes: [pushScope(repository), pullScope(from)],
    signal,
  });
  if (response.status === 201) {
    await response.discard();
    return undefined;
  }
  const what = `cannot mount ${digest} from ${from} in ${client.host}/${repository}`;
  return await sessionAfter(response, { what, offset: 0 });
}
