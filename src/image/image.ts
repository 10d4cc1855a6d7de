/** An image before its bytes exist, and its documents once the layers' digests are known. */
import type { LayerDigest, LayerSource } from '../layer/layer-source.ts';
import type { Blob, Descriptor } from './blob.ts';
import { encodeImageConfig, type History, type Platform } from './image-config.ts';
import { encodeManifest } from './image-manifest.ts';
import type { JsonObject } from './json.ts';
import { MEDIA_TYPES } from './media-types.ts';

export interface Image {
  readonly platform: Platform;
  /** RFC 3339. */
  readonly created: string;
  readonly config: JsonObject;
  /** Bottom to top; the customisation layer is the last. */
  readonly layers: readonly ImageLayer[];
}

export interface ImageLayer {
  readonly source: LayerSource;
  /** Bytes of its tar, exact. */
  readonly size: number;
  readonly history: History;
}

export interface ImageDocuments {
  /** Its digest is Docker's image ID. */
  readonly config: Blob;
  readonly manifest: Blob;
  /** Bottom to top. */
  readonly layers: readonly Descriptor[];
}

/** @param digests of the image's layers, in their order */
export function describeImage(image: Image, digests: readonly LayerDigest[]): ImageDocuments {
  const config = encodeImageConfig({
    ...image,
    layers: image.layers.map(({ history }, i) => ({ history, diffID: (digests[i] as LayerDigest).diffID })),
  });
  const layers = digests.map(({ diffID, size }) => ({ mediaType: MEDIA_TYPES.layer, digest: diffID, size }));
  return { config, manifest: encodeManifest(config, layers), layers };
}
