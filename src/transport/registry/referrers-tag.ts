/**
 * What refers to a manifest, in registries that do not list it themselves: an index whose tag is the manifest's digest.
 *
 * @see OCI distribution-spec v1.1, "Referrers Tag Schema"
 */
import pLimit, { type LimitFunction } from 'p-limit';
import { type Digest, digestHex } from '../../digest.ts';
import { type Descriptor, jsonBlob } from '../../image/blob.ts';
import { type IndexEntry, parseIndex, parseIndexDocument } from '../../image/image-documents.ts';
import type { JsonObject } from '../../image/json.ts';
import { MEDIA_TYPES } from '../../image/media-types.ts';
import { getManifest, putManifest, type StoredManifest } from './manifests.ts';
import type { RegistryClient } from './registry-client.ts';

export interface Subject {
  readonly repository: string;
  /** Of the manifest that is referred to. */
  readonly digest: Digest;
  readonly signal?: AbortSignal | undefined;
}

/** Registries compare nothing before they replace a tag: within this process nobody may come in between. */
const writers = new WeakMap<RegistryClient, LimitFunction>();

/**
 * Idempotent. Of two processes that add to the same list at the same moment one may lose its entry.
 * @throws PhylloError NETWORK_FAILED, REGISTRY_FAILED, REGISTRY_UNAUTHORIZED, ARCHIVE_INVALID
 */
export async function addReferrer(
  client: RegistryClient,
  { referrer, ...subject }: Subject & { readonly referrer: Descriptor },
): Promise<void> {
  const oneByOne = writers.get(client) ?? pLimit(1);
  writers.set(client, oneByOne);
  await oneByOne(async () => {
    const found = await getTagged(client, subject);
    const index = found === undefined ? {} : parseIndexDocument(found.blob.bytes, nameOf(client, subject));
    const manifests = (index['manifests'] ?? []) as readonly JsonObject[];
    if (manifests.some(({ digest }) => digest === referrer.digest)) return;
    const blob = jsonBlob({
      schemaVersion: 2,
      mediaType: MEDIA_TYPES.index,
      ...index,
      manifests: [...manifests, referrer],
    });
    const { repository, signal } = subject;
    const reference = tagOf(subject.digest);
    await putManifest(client, { repository, reference, blob, mediaType: MEDIA_TYPES.index, signal });
  });
}

/** @throws PhylloError NETWORK_FAILED, REGISTRY_FAILED, REGISTRY_UNAUTHORIZED, ARCHIVE_INVALID */
export async function readReferrersTag(
  client: RegistryClient,
  subject: Subject,
): Promise<readonly IndexEntry[]> {
  const found = await getTagged(client, subject);
  return found === undefined ? [] : parseIndex(found.blob.bytes, nameOf(client, subject));
}

async function getTagged(
  client: RegistryClient,
  { repository, digest, signal }: Subject,
): Promise<StoredManifest | undefined> {
  return await getManifest(client, { repository, reference: tagOf(digest), signal });
}

function tagOf(digest: Digest): string {
  return `sha256-${digestHex(digest)}`;
}

function nameOf({ host }: RegistryClient, { repository, digest }: Subject): string {
  return `the list of referrers ${host}/${repository}:${tagOf(digest)}`;
}
