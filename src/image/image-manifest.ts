/**
 * The documents that name an image's blobs: the OCI manifest and index, and Docker's list of the archive's images.
 *
 * @see OCI image-spec v1.1, manifest.md, image-index.md, image-layout.md; Docker image spec v1.2, "Combined Image JSON"
 */
import { type Blob, type Descriptor, descriptorOf, jsonBlob } from './blob.ts';
import type { Platform } from './image-config.ts';
import { familiarName, type ImageReference, qualifiedName } from './image-reference.ts';
import { MEDIA_TYPES } from './media-types.ts';

export function encodeManifest(
  config: Blob,
  layers: readonly Descriptor[],
  annotations: Readonly<Record<string, string>> = {},
): Blob {
  return jsonBlob({
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.manifest,
    config: descriptorOf(config, MEDIA_TYPES.config),
    layers,
    ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
  });
}

export interface IndexEntry {
  readonly manifest: Blob;
  /** Of the manifest; OCI's when absent. */
  readonly mediaType?: string;
  /** Undefined for an index. */
  readonly platform: Platform | undefined;
  /** Undefined: it has no name. */
  readonly reference: ImageReference | TagAlone | undefined;
}

/** A name as layouts have it that know nothing of repositories. */
export interface TagAlone {
  readonly tag: string;
}

/** The index of a layout with one image. */
export function encodeIndex(entry: IndexEntry): Blob {
  return encodeIndexOf([entry]);
}

/** The index of a layout. */
export function encodeIndexOf(entries: readonly IndexEntry[]): Blob {
  return jsonBlob({
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.index,
    manifests: entries.map(encodeIndexEntry),
  });
}

/** containerd takes the name from the first annotation, other tools the tag from the second. */
export function encodeIndexEntry({ manifest, mediaType, platform, reference }: IndexEntry): Descriptor {
  return {
    ...descriptorOf(manifest, mediaType ?? MEDIA_TYPES.manifest),
    ...(platform === undefined ? {} : { platform: encodePlatform(platform) }),
    ...(reference === undefined ? {} : { annotations: nameAnnotations(reference) }),
  };
}

export function encodePlatform({ architecture, variant, os }: Platform): NonNullable<Descriptor['platform']> {
  return { architecture, os, ...(variant === undefined ? {} : { variant }) };
}

function nameAnnotations(reference: ImageReference | TagAlone): Readonly<Record<string, string>> {
  return {
    ...('name' in reference ? { 'io.containerd.image.name': qualifiedName(reference) } : {}),
    'org.opencontainers.image.ref.name': reference.tag,
  };
}

export interface DockerImage {
  /** Undefined: it has no name. */
  readonly reference: ImageReference | undefined;
  /** Paths in the archive. */
  readonly configPath: string;
  readonly layerPaths: readonly string[];
}

export interface DockerImageNames extends Omit<DockerImage, 'reference'> {
  /** Perhaps none. */
  readonly references: readonly ImageReference[];
}

/** `manifest.json` of a docker archive with one image. */
export function encodeDockerManifest({ reference, ...image }: DockerImage): Blob {
  return encodeDockerManifestOf([{ ...image, references: reference === undefined ? [] : [reference] }]);
}

/** `manifest.json` of a docker archive. */
export function encodeDockerManifestOf(images: readonly DockerImageNames[]): Blob {
  return jsonBlob(
    images.map(({ references, configPath, layerPaths }) => ({
      Config: configPath,
      RepoTags: references.map(familiarName),
      Layers: layerPaths,
    })),
  );
}

/** `oci-layout`. */
export const OCI_LAYOUT: Blob = jsonBlob({ imageLayoutVersion: '1.0.0' });
