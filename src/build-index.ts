/** Images for several platforms, built one after the other and shown together under one name. */
import { buildImage, type BuildOptions, type BuiltImage } from './build-image.ts';
import { type Descriptor, descriptorOf } from './image/blob.ts';
import { type Annotations, encodeImageIndex } from './image/image-index.ts';
import type { ImageSettings } from './image/image-settings.ts';
import { MEDIA_TYPES } from './image/media-types.ts';
import type { Store } from './store/store.ts';
import { type IndexPlace, publishIndex } from './transport/publish-index.ts';

export interface IndexPart {
  readonly settings: ImageSettings;
  /** Stays open; whoever opened it closes it. */
  readonly store: Store;
  /** Of the image's entry in the index. */
  readonly annotations: Annotations;
}

export interface BuildIndexOptions extends Omit<BuildOptions, 'store'> {
  /** Where the images' targets are, too; at least one. These have the same compression and are parts of an index. */
  readonly places: readonly IndexPlace[];
  readonly annotations: Annotations;
}

export interface BuiltIndex {
  readonly descriptor: Descriptor;
  readonly images: readonly BuiltImage[];
}

/**
 * The tags appear when all images are there.
 * @throws PhylloError as buildImage; IMAGE_AMBIGUOUS for two images for the same platform
 */
export async function buildIndex(
  parts: readonly IndexPart[],
  { places, annotations, ...options }: BuildIndexOptions,
): Promise<BuiltIndex> {
  const images: BuiltImage[] = [];
  for (const { settings, store } of parts) images.push(await buildImage(settings, { ...options, store }));
  const members = parts.map((part, i) => ({
    manifest: manifestOf(images[i] as BuiltImage),
    platform: part.settings.platform,
    annotations: part.annotations,
  }));
  const index = encodeImageIndex(members, annotations);
  for (const place of places) await publishIndex(index, { place, signal: options.signal });
  return { descriptor: descriptorOf(index, MEDIA_TYPES.index), images };
}

function manifestOf({ manifestDigest: digest, manifestSize: size }: BuiltImage): Descriptor {
  if (digest === undefined || size === undefined) throw new TypeError('the image has no manifest');
  return { mediaType: MEDIA_TYPES.manifest, digest, size };
}
