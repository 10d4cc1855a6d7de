/**
 * The documents that name an image's blobs: the OCI manifest and index, and Docker's list of the archive's images.
 *
 * @see OCI image-spec v1.1, manifest.md, image-index.md, image-layout.md; Docker image spec v1.2, "Combined Image JSON"
 */
import { type Blob, type Descriptor, descriptorOf, jsonBlob } from './blob.ts';
import type { Platform } from './image-config.ts';
import { familiarName, type ImageReference, qualifiedName } from './image-reference.ts';
import { MEDIA_TYPES } from './media-types.ts';

export function encodeManifest(config: Blob, layers: readonly Descriptor[]): Blob {
  return jsonBlob({
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.manifest,
    config: descriptorOf(config, MEDIA_TYPES.config),
    layers,
  });
}

export interface IndexEntry {
  readonly manifest: Blob;
  readonly platform: Platform;
  readonly reference: ImageReference;
}

/** The index of a layout with one image. containerd takes the name from the first annotation, other tools the tag from the second. */
export function encodeIndex({ manifest, platform, reference }: IndexEntry): Blob {
  const { architecture, variant, os } = platform;
  return jsonBlob({
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.index,
    manifests: [
      {
        ...descriptorOf(manifest, MEDIA_TYPES.manifest),
        platform: { architecture, os, ...(variant === undefined ? {} : { variant }) },
        annotations: {
          'io.containerd.image.name': qualifiedName(reference),
          'org.opencontainers.image.ref.name': reference.tag,
        },
      },
    ],
  });
}

export interface DockerImage {
  readonly reference: ImageReference;
  /** Paths in the archive. */
  readonly configPath: string;
  readonly layerPaths: readonly string[];
}

/** `manifest.json` of a docker archive. */
export function encodeDockerManifest({ reference, configPath, layerPaths }: DockerImage): Blob {
  return jsonBlob([{ Config: configPath, RepoTags: [familiarName(reference)], Layers: layerPaths }]);
}

/** `oci-layout`. */
export const OCI_LAYOUT: Blob = jsonBlob({ imageLayoutVersion: '1.0.0' });
