/** Sends a blob that is in memory: the whole of it again, if need be. */
import type { Digest } from '../../digest.ts';
import { headBlob } from './blobs.ts';
import { attempt, isPassing, type Outcome } from './interruption.ts';
import type { RegistryClient } from './registry-client.ts';
import { registryError, requireDigest } from './registry-error.ts';
import { putUpload, startUpload, type UploadSession } from './upload-session.ts';

export interface BytesToPush {
  readonly repository: string;
  readonly digest: Digest;
  readonly bytes: Uint8Array;
  /** Whether the repository is known to lack it. */
  readonly isMissing?: boolean;
  /** An upload that has begun already. */
  readonly session?: UploadSession | undefined;
  readonly signal?: AbortSignal | undefined;
}

export const MAX_ATTEMPTS = 6;

/**
 * Whether it had to be sent. Idempotent.
 * @throws PhylloError NETWORK_FAILED, REGISTRY_FAILED, REGISTRY_UNAUTHORIZED
 */
export async function pushBytes(
  client: RegistryClient,
  { repository, digest, bytes, isMissing = false, signal, ...options }: BytesToPush,
): Promise<boolean> {
  let { session } = options;
  for (let attempts = 1; ; attempts += 1) {
    const mayBeThere = attempts > 1 || !isMissing;
    if (mayBeThere && (await headBlob(client, { repository, digest, signal, forPush: true })))
      return attempts > 1;
    session ??= await startUpload(client, { repository, signal });
    const step = { repository, session, digest, body: bytes, size: bytes.length, signal };
    const outcome = await attempt(() => putUpload(client, step));
    const what = `cannot push ${digest} to ${client.host}/${repository}`;
    if (await isStored(outcome, { digest, what, isLast: attempts === MAX_ATTEMPTS })) return true;
    await client.waitBeforeRetry(outcome, { attempt: attempts, what, signal });
    session = undefined;
  }
}

/** False when another attempt may help. @throws PhylloError when none can, or the registry has something else now */
export async function isStored(
  outcome: Outcome,
  { digest, what, isLast }: { readonly digest: Digest; readonly what: string; readonly isLast: boolean },
): Promise<boolean> {
  if (!(outcome instanceof Error) && (outcome.status === 201 || outcome.status === 204)) {
    await outcome.discard();
    requireDigest(outcome, { digest, what });
    return true;
  }
  if (isPassing(outcome) && !isLast) return false;
  throw outcome instanceof Error ? outcome : await registryError(outcome, what);
}
