/**
 * An archive of images that exist: the format of archive-layout.ts, with each blob once, however many images and names share it. A
 * copy of an image that Phyllo built has the bytes that the build wrote.
 */
import type { Digest } from '../digest.ts';
import type { Blob } from '../image/blob.ts';
import {
  encodeDockerManifestOf,
  encodeIndexOf,
  encodeManifest,
  OCI_LAYOUT,
  type TagAlone,
} from '../image/image-manifest.ts';
import { storePathsOf } from '../image/image-config.ts';
import type { ImageReference } from '../image/image-reference.ts';
import { annotateLayers } from '../image/layer-annotations.ts';
import { BLOCK_SIZE, roundUp, tarSize } from '../layer/tar-member.ts';
import { blobPath, encodeMember, blobHeader } from './archive-layout.ts';
import { readLayer, type SourceImage, type SourceLayer } from './source-image.ts';

export interface NamedImage {
  /** Stays open; whoever opened it closes it. */
  readonly image: SourceImage;
  /** Perhaps none. */
  readonly names: readonly (ImageReference | TagAlone)[];
}

export interface EncodeOptions {
  /** Blobs of layers that are left out: whoever gets the archive has them. */
  readonly omitted?: ReadonlySet<Digest>;
}

/**
 * The archive's bytes. Layers are verified on the way; whoever takes the bytes has a whole archive only when all went well.
 * @throws PhylloError ARCHIVE_INVALID, FILE_UNREADABLE
 */
export async function* encodeImagesArchive(
  images: readonly NamedImage[],
  { omitted = new Set() }: EncodeOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const written = new Set(omitted);
  let size = 0;
  for await (const chunk of members(images, written)) {
    size += chunk.length;
    yield chunk;
  }
  yield Buffer.alloc(tarSize(size) - size);
}

async function* members(
  images: readonly NamedImage[],
  written: Set<Digest>,
): AsyncGenerator<Uint8Array, void, undefined> {
  for (const { image } of images) yield* layerMembers(image, written);
  const manifests = images.map(({ image }) => manifestOf(image));
  for (const [i, { image }] of images.entries()) {
    for (const blob of [image.config.blob, manifests[i] as Blob]) yield* blobMember(blob, written);
  }
  yield* encodeMember('oci-layout', OCI_LAYOUT);
  yield* encodeMember('index.json', indexOf(images, manifests));
  yield* encodeMember('manifest.json', dockerManifestOf(images));
}

async function* layerMembers(
  image: SourceImage,
  written: Set<Digest>,
): AsyncGenerator<Uint8Array, void, undefined> {
  for (const layer of image.layers) {
    const { digest, size } = layer.descriptor;
    if (written.has(digest)) continue;
    written.add(digest);
    yield blobHeader({ digest, size });
    yield* readLayer(layer);
    yield Buffer.alloc(roundUp(size, BLOCK_SIZE) - size);
  }
}

function* blobMember(blob: Blob, written: Set<Digest>): Generator<Uint8Array, void, undefined> {
  if (written.has(blob.digest)) return;
  written.add(blob.digest);
  yield* encodeMember(blobPath(blob.digest), blob);
}

/** The manifest that the image has, or the one that describes it. */
export function manifestOf({ manifest, config, layers }: SourceImage): Blob {
  if (manifest !== undefined) return manifest.blob;
  const descriptors = layers.map(({ descriptor }) => descriptor);
  return encodeManifest(config.blob, annotateLayers(descriptors, layers.map(storePathsIn)));
}

function storePathsIn({ history }: SourceLayer): readonly string[] {
  const comment = history?.['comment'];
  return typeof comment === 'string' ? storePathsOf(comment) : [];
}

function indexOf(images: readonly NamedImage[], manifests: readonly Blob[]): Blob {
  const entries = images.flatMap(({ image, names }, i) => {
    const entry = {
      manifest: manifests[i] as Blob,
      platform: image.platform,
      ...(image.manifest === undefined ? {} : { mediaType: image.manifest.mediaType }),
    };
    return (names.length === 0 ? [undefined] : names).map((reference) => ({ ...entry, reference }));
  });
  return encodeIndexOf(entries);
}

function dockerManifestOf(images: readonly NamedImage[]): Blob {
  return encodeDockerManifestOf(
    images.map(({ image, names }) => ({
      references: names.filter((name) => 'name' in name),
      configPath: blobPath(image.config.blob.digest),
      layerPaths: image.layers.map(({ descriptor }) => blobPath(descriptor.digest)),
    })),
  );
}
