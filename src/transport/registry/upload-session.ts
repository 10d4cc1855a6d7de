/**
 * The steps of an upload, each one request. What to do when one of them fails is the caller's business.
 *
 * @see OCI distribution-spec v1.1, "Pushing blobs"
 */
import type { Digest } from '../../digest.ts';
import type { HttpRequest } from '../../http/http-client.ts';
import type { HttpResponse } from '../../http/http-response.ts';
import { resolveLocation } from '../../http/redirect.ts';
import type { RegistryClient } from './registry-client.ts';
import { nonsense, registryError } from './registry-error.ts';
import { pushScope, repositoryPath } from './repository-paths.ts';

/** Where the rest of a blob goes. */
export interface UploadSession {
  /** Another one after each request. */
  readonly location: URL;
  /** Bytes that have arrived. */
  readonly offset: number;
}

export interface UploadStep {
  readonly repository: string;
  readonly session: UploadSession;
  readonly signal?: AbortSignal | undefined;
}

/** Registries move what they got into its place before they answer. */
const STORING_TIMEOUT_MS = 5 * 60_000;

/** @throws PhylloError NETWORK_FAILED, REGISTRY_FAILED, REGISTRY_UNAUTHORIZED */
export async function startUpload(
  client: RegistryClient,
  { repository, signal }: Omit<UploadStep, 'session'>,
): Promise<UploadSession> {
  const response = await client.send({
    method: 'POST',
    to: repositoryPath(repository, 'blobs/uploads/'),
    scopes: [pushScope(repository)],
    signal,
  });
  return await sessionAfter(response, { what: `cannot push to ${client.host}/${repository}`, offset: 0 });
}

export interface SentBody {
  readonly body: NonNullable<HttpRequest['body']>;
  /** Bytes, where they are known before. */
  readonly size?: number | undefined;
}

/** One attempt at sending the rest of the blob, whose digest is not known yet; the answer as it is. */
export async function patchUpload(
  client: RegistryClient,
  { repository, session, signal, body, size }: UploadStep & SentBody,
): Promise<HttpResponse> {
  const { location, offset } = session;
  const range: Record<string, string> =
    offset > 0 && size !== undefined ? { 'content-range': `${offset}-${offset + size - 1}` } : {};
  return await client.send({
    method: 'PATCH',
    to: location,
    scopes: [pushScope(repository)],
    headers: { ...bodyHeaders(size), ...range },
    body,
    retries: 0,
    redirect: 'manual',
    answerTimeoutMs: STORING_TIMEOUT_MS,
    signal,
  });
}

/** One attempt at ending the upload, with the rest of the blob if there is one; the answer as it is. */
export async function putUpload(
  client: RegistryClient,
  {
    repository,
    session,
    digest,
    signal,
    body,
    size,
  }: UploadStep & Partial<SentBody> & { readonly digest: Digest },
): Promise<HttpResponse> {
  // Appended as it is: a query that is written anew might no longer be the one that the registry signed.
  const { href, search } = session.location;
  const to = new URL(`${href}${search === '' ? '?' : '&'}digest=${encodeURIComponent(digest)}`);
  return await client.send({
    method: 'PUT',
    to,
    scopes: [pushScope(repository)],
    headers: body === undefined ? { 'content-length': '0' } : bodyHeaders(size),
    ...(body === undefined ? {} : { body }),
    retries: 0,
    redirect: 'manual',
    answerTimeoutMs: STORING_TIMEOUT_MS,
    signal,
  });
}

/**
 * How much has arrived; undefined when the registry knows the upload no more.
 * @throws PhylloError NETWORK_FAILED, REGISTRY_FAILED, REGISTRY_UNAUTHORIZED
 */
export async function uploadStatus(
  client: RegistryClient,
  { repository, session, signal }: UploadStep,
): Promise<UploadSession | undefined> {
  const response = await client.send({ to: session.location, scopes: [pushScope(repository)], signal });
  if (response.status === 401 || response.status === 403)
    throw await registryError(response, `cannot push to ${client.host}/${repository}`);
  await response.discard();
  if (response.status !== 204 && response.status !== 202) return undefined;
  const location = response.header('location');
  return {
    location: location === undefined ? session.location : resolveLocation(location, response.url),
    offset: parseRange(response.header('range')),
  };
}

/** Tells the registry that nothing follows. Never throws. */
export async function cancelUpload(
  client: RegistryClient,
  { repository, session, signal }: UploadStep,
): Promise<void> {
  const request = {
    method: 'DELETE',
    to: session.location,
    scopes: [pushScope(repository)],
    retries: 0,
    answerTimeoutMs: CANCEL_TIMEOUT_MS,
    signal,
  } as const;
  await client.send(request).then(
    (response) => response.discard(),
    () => undefined,
  );
}

const CANCEL_TIMEOUT_MS = 2000;

/**
 * The session as an accepted answer describes it.
 * @throws PhylloError REGISTRY_FAILED, REGISTRY_UNAUTHORIZED, NETWORK_FAILED for a place that must not be gone to
 */
export async function sessionAfter(
  response: HttpResponse,
  { what, offset }: { readonly what: string; readonly offset: number },
): Promise<UploadSession> {
  if (response.status !== 202) throw await registryError(response, what);
  await response.discard();
  const location = response.header('location');
  if (location !== undefined) return { location: resolveLocation(location, response.url), offset };
  throw nonsense(response, { what: `${what}: it does not say where to send the blob` });
}

/** `0-1023` means that 1024 bytes have arrived; some registries say `0-0` for none. */
export function parseRange(text: string | undefined): number {
  const last = /^(?:bytes=)?0-(\d{1,16})$/.exec(text ?? '')?.[1];
  return last === undefined || last === '0' ? 0 : Number(last) + 1;
}

function bodyHeaders(size: number | undefined): Record<string, string> {
  const type = { 'content-type': 'application/octet-stream' };
  return size === undefined ? type : { ...type, 'content-length': String(size) };
}
