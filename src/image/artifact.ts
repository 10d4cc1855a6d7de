/**
 * OCI artifacts: documents about something, kept where images are. What an artifact is about is its `subject`.
 *
 * @see OCI image-spec v1.1, manifest.md, "Guidelines for Artifact Usage"
 */
import { type Blob, type Descriptor, descriptorOf, jsonBlob } from './blob.ts';
import { MEDIA_TYPES } from './media-types.ts';

/** Content of artifacts that have none. @see OCI image-spec v1.1, manifest.md, "Guidance for an Empty Descriptor" */
export const EMPTY_BLOB: Blob = jsonBlob({});
const EMPTY: Descriptor = descriptorOf(EMPTY_BLOB, MEDIA_TYPES.empty);

export interface ArtifactDescription {
  /** A media type that says what it is: `application/spdx+json`. */
  readonly artifactType: string;
  /** Its contents, perhaps none. */
  readonly blobs: readonly Descriptor[];
  /** The manifest that it is about. */
  readonly subject?: Descriptor | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}

/** Its manifest. `EMPTY_BLOB` belongs to it, too. */
export function encodeArtifact({ artifactType, blobs, subject, annotations }: ArtifactDescription): Blob {
  return jsonBlob({
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.manifest,
    artifactType,
    config: EMPTY,
    layers: blobs.length === 0 ? [EMPTY] : blobs,
    ...(subject === undefined ? {} : { subject: bare(subject) }),
    ...(annotations === undefined || Object.keys(annotations).length === 0 ? {} : { annotations }),
  });
}

/** What names it, whatever an index says of it besides. */
function bare({ mediaType, digest, size }: Descriptor): Descriptor {
  return { mediaType, digest, size };
}
