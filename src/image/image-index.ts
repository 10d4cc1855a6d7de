/** An image for several platforms: an index of the images for each. @see OCI image-spec v1.1, image-index.md */
import { PhylloError } from '../errors.ts';
import { type Blob, type Descriptor, jsonBlob } from './blob.ts';
import type { Platform } from './image-config.ts';
import { parseManifestDocument } from './image-documents.ts';
import { encodePlatform } from './image-manifest.ts';
import { MEDIA_TYPES } from './media-types.ts';

export type Annotations = Readonly<Record<string, string>>;

/** An image in an index. */
export interface IndexMember {
  readonly manifest: Descriptor;
  readonly platform: Platform;
  /** Of its descriptor in the index. */
  readonly annotations?: Annotations | undefined;
}

/** @throws PhylloError IMAGE_AMBIGUOUS for two images for the same platform */
export function encodeImageIndex(members: readonly IndexMember[], annotations: Annotations = {}): Blob {
  requireDistinctPlatforms(members);
  return jsonBlob({
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.index,
    manifests: members.map(describeMember),
    ...annotated(annotations),
  });
}

/**
 * The manifest with annotations besides those that it has, whose place they take where they have the same names.
 * @throws PhylloError ARCHIVE_INVALID for a manifest of Docker's, which has no annotations
 */
export function annotateManifest(manifest: Blob, annotations: Annotations): Blob {
  if (Object.keys(annotations).length === 0) return manifest;
  const document = parseManifestDocument(manifest.bytes, `the manifest ${manifest.digest}`);
  if (document['mediaType'] !== undefined && document['mediaType'] !== MEDIA_TYPES.manifest)
    throw new PhylloError('ARCHIVE_INVALID', `the manifest ${manifest.digest} cannot have annotations`, {
      hint: "it is in Docker's form; annotate its descriptor or the index instead",
    });
  const before = document['annotations'] as Annotations | null | undefined;
  return jsonBlob({ ...document, annotations: { ...before, ...annotations } });
}

function describeMember({ manifest, platform, annotations = {} }: IndexMember): Descriptor {
  return { ...manifest, platform: encodePlatform(platform), ...annotated(annotations) };
}

function annotated(annotations: Annotations): { readonly annotations?: Annotations } {
  return Object.keys(annotations).length === 0 ? {} : { annotations };
}

/** Clients take the first one that fits: the second would never be seen. */
function requireDistinctPlatforms(members: readonly IndexMember[]): void {
  const seen = new Set<string>();
  for (const { platform } of members) {
    const { os, architecture, variant } = platform;
    const name = [os, architecture, ...(variant === undefined ? [] : [variant])].join('/');
    if (seen.has(name))
      throw new PhylloError('IMAGE_AMBIGUOUS', `two images of the index are for ${name}`, {
        hint: 'leave one of them out',
      });
    seen.add(name);
  }
}
