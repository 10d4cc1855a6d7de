/** Manifests and indexes in a registry. @see OCI distribution-spec v1.1, "Pulling manifests", "Pushing Manifests" */
import { createHash } from 'node:crypto';
import { type Digest, finishDigest, isDigest } from '../../digest.ts';
import { PhylloError } from '../../errors.ts';
import type { HttpResponse } from '../../http/http-response.ts';
import type { Blob } from '../../image/blob.ts';
import { MEDIA_TYPES } from '../../image/media-types.ts';
import type { RegistryClient } from './registry-client.ts';
import { claimedDigest, registryError, requireDigest } from './registry-error.ts';
import { pullScope, pushScope, repositoryPath } from './repository-paths.ts';

/** Registries take none that are larger. */
export const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;

const ACCEPT = [
  MEDIA_TYPES.index,
  MEDIA_TYPES.manifest,
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ');

export interface ManifestName {
  readonly repository: string;
  /** A tag or a digest. */
  readonly reference: string;
  readonly signal?: AbortSignal | undefined;
}

export interface StoredManifest {
  readonly blob: Blob;
  readonly mediaType: string;
}

/**
 * Undefined when there is none. What is asked for by digest is verified.
 * @throws PhylloError NETWORK_FAILED, REGISTRY_FAILED, REGISTRY_UNAUTHORIZED, ARCHIVE_INVALID
 */
export async function getManifest(
  client: RegistryClient,
  name: ManifestName,
): Promise<StoredManifest | undefined> {
  const response = await askFor(client, { ...name, method: 'GET' });
  if (response === undefined) return undefined;
  const bytes = await response.bytes(MAX_MANIFEST_BYTES);
  const digest = finishDigest(createHash('sha256').update(bytes));
  const claimed = isDigest(name.reference) ? name.reference : claimedDigest(response);
  if (claimed !== undefined && claimed !== digest)
    throw new PhylloError(
      'ARCHIVE_INVALID',
      `${describeName(client, name)} is damaged: its digest is ${digest} instead of ${claimed}`,
      { hint: 'the registry, or somebody on the way to it, is broken: ask whoever runs it' },
    );
  return { blob: { digest, bytes }, mediaType: mediaTypeOf(response, bytes) };
}

export interface SeenManifest {
  /** Undefined when the registry does not say. */
  readonly digest: Digest | undefined;
}

/**
 * Undefined when there is none.
 * @throws PhylloError NETWORK_FAILED, REGISTRY_FAILED, REGISTRY_UNAUTHORIZED
 */
export async function headManifest(
  client: RegistryClient,
  { forPush, ...name }: ManifestName & { readonly forPush?: boolean },
): Promise<SeenManifest | undefined> {
  const response = await askFor(client, { ...name, method: 'HEAD', forPush });
  await response?.discard();
  return response === undefined ? undefined : { digest: claimedDigest(response) };
}

export interface PutAnswer {
  /** Whether the registry lists what has a subject with it. @see OCI distribution-spec v1.1, "Pushing Manifests with Subject" */
  readonly knowsSubjects: boolean;
}

/**
 * Idempotent.
 * @throws PhylloError NETWORK_FAILED, REGISTRY_FAILED, REGISTRY_UNAUTHORIZED
 */
export async function putManifest(
  client: RegistryClient,
  { blob, mediaType, ...name }: ManifestName & StoredManifest,
): Promise<PutAnswer> {
  const response = await client.send({
    method: 'PUT',
    to: repositoryPath(name.repository, `manifests/${name.reference}`),
    scopes: [pushScope(name.repository)],
    headers: { 'content-type': mediaType },
    body: blob.bytes,
    signal: name.signal,
  });
  const what = `cannot push ${describeName(client, name)}`;
  if (response.status !== 201 && response.status !== 200 && response.status !== 202)
    throw await registryError(response, what);
  await response.discard();
  requireDigest(response, { digest: blob.digest, what });
  return { knowsSubjects: response.header('oci-subject') !== undefined };
}

async function askFor(
  client: RegistryClient,
  {
    method,
    forPush = false,
    ...name
  }: ManifestName & { readonly method: 'GET' | 'HEAD'; readonly forPush?: boolean | undefined },
): Promise<HttpResponse | undefined> {
  const { repository, reference, signal } = name;
  const response = await client.send({
    method,
    to: repositoryPath(repository, `manifests/${reference}`),
    scopes: [forPush ? pushScope(repository) : pullScope(repository)],
    headers: { accept: ACCEPT },
    signal,
  });
  if (response.status === 200) return response;
  if (response.status !== 404)
    throw await registryError(response, `cannot read ${describeName(client, name)}`);
  await response.discard();
  return undefined;
}

/** What the document says itself wins: a server may name them all `application/json`. */
function mediaTypeOf(response: HttpResponse, bytes: Buffer): string {
  return ownMediaType(bytes) || ((response.header('content-type') ?? '').split(';')[0] as string).trim();
}

function ownMediaType(bytes: Buffer): string {
  try {
    const document = JSON.parse(bytes.toString('utf8')) as { readonly mediaType?: unknown } | null;
    return typeof document?.mediaType === 'string' ? document.mediaType : '';
  } catch {
    return '';
  }
}

function describeName({ host }: RegistryClient, { repository, reference }: ManifestName): string {
  return `${host}/${repository}${isDigest(reference) ? '@' : ':'}${reference}`;
}
