/** Brings OCI artifacts into a repository. @see OCI distribution-spec v1.1, "Pushing Manifests with Subject" */
import { type ArtifactDescription, EMPTY_BLOB, encodeArtifact } from '../../image/artifact.ts';
import { type Blob, type Descriptor, descriptorOf } from '../../image/blob.ts';
import { MEDIA_TYPES } from '../../image/media-types.ts';
import { putManifest } from './manifests.ts';
import { pushBytes } from './push-bytes.ts';
import { addReferrer } from './referrers-tag.ts';
import type { RegistryClient } from './registry-client.ts';

export interface ArtifactBlob extends Blob {
  readonly mediaType: string;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}

export interface ArtifactToPush extends Omit<ArtifactDescription, 'blobs'> {
  /** Where the subject is, too. */
  readonly repository: string;
  /** Undefined: it is there by its digest alone. */
  readonly tag?: string | undefined;
  /** Documents, small enough for memory. */
  readonly blobs: readonly ArtifactBlob[];
  readonly signal?: AbortSignal | undefined;
}

/**
 * Idempotent: equal artifacts have equal digests. Registries that do not list artifacts with their subjects get the list as an
 * index that has the subject's digest as its tag.
 * @returns the artifact as lists of referrers have it
 * @throws PhylloError NETWORK_FAILED, REGISTRY_FAILED, REGISTRY_UNAUTHORIZED, ARCHIVE_INVALID for a damaged list
 */
export async function pushArtifact(client: RegistryClient, artifact: ArtifactToPush): Promise<Descriptor> {
  const { repository, tag, artifactType, annotations, subject, blobs, signal } = artifact;
  const contents = [EMPTY_BLOB, ...blobs].map(({ digest, bytes }) => ({ digest, bytes }));
  await Promise.all(contents.map((blob) => pushBytes(client, { repository, ...blob, signal })));
  const blob = encodeArtifact({ ...artifact, blobs: blobs.map(describeBlob) });
  const mediaType = MEDIA_TYPES.manifest;
  const reference = tag ?? blob.digest;
  const { knowsSubjects } = await putManifest(client, { repository, reference, blob, mediaType, signal });
  const descriptor = {
    ...descriptorOf(blob, mediaType),
    artifactType,
    ...(annotations === undefined ? {} : { annotations }),
  };
  if (subject !== undefined && !knowsSubjects)
    await addReferrer(client, { repository, digest: subject.digest, referrer: descriptor, signal });
  return descriptor;
}

function describeBlob({ mediaType, annotations, ...blob }: ArtifactBlob): Descriptor {
  return { ...descriptorOf(blob, mediaType), ...(annotations === undefined ? {} : { annotations }) };
}
