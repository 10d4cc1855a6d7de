/** The image that another one is built on: its layers go below, unchanged, and its variables are inherited. */
import type { BaseName } from './image/base-annotations.ts';
import { baseHistory, inheritConfig } from './image/base-image.ts';
import { storePathsOf } from './image/image-config.ts';
import { LAYER_MEDIA_TYPES } from './image/media-types.ts';
import type { ImageLayer } from './image/image.ts';
import type { ImageSettings } from './image/image-settings.ts';
import type { JsonObject } from './image/json.ts';
import type { StoredLayer } from './layer/stored-layer.ts';
import { isRegistryImage, openImage, registryNameOf } from './transport/image-source.ts';
import type { OpenImageOptions, SourceImage, SourceLayer } from './transport/source-image.ts';

/** Whoever opens it closes it, after the layers' last use. */
export interface Base {
  /** Undefined: built on nothing. */
  readonly image: SourceImage | undefined;
  readonly layers: readonly ImageLayer[];
  readonly history: readonly JsonObject[];
  /** The image's own config with what it inherits. */
  readonly config: JsonObject;
  /** What the image says of it; undefined where it has no manifest. */
  readonly name: BaseName | undefined;
  /** Its config's digest. */
  readonly fingerprint: string | undefined;
  /** Closes it. Idempotent. */
  [Symbol.dispose](): void;
}

/** @throws PhylloError SOURCE_INVALID, FILE_UNREADABLE, ARCHIVE_INVALID, IMAGE_NOT_FOUND, IMAGE_AMBIGUOUS, IMAGE_INVALID; of a registry, as openRegistryImage */
export async function openBase(
  { fromImage, inherit, platform, config }: ImageSettings,
  opening: Pick<OpenImageOptions, 'signal' | 'registries' | 'daemon'>,
): Promise<Base> {
  if (fromImage === undefined)
    return {
      image: undefined,
      layers: [],
      history: [],
      config,
      name: undefined,
      fingerprint: undefined,
      [Symbol.dispose]: () => undefined,
    };
  const image = await openImage(fromImage, { ...opening, preferred: platform });
  try {
    return {
      image,
      layers: image.layers.map((layer) => baseLayer(layer, image)),
      history: baseHistory(image),
      config: inheritConfig(config, { base: image.config.document, inherit }),
      name: nameOf(fromImage, image),
      fingerprint: image.config.blob.digest,
      [Symbol.dispose]: () => image.close(),
    };
  } catch (error) {
    image.close();
    throw error;
  }
}

/** As whoever wants the base again asks for it. */
function nameOf(fromImage: string, { manifest }: SourceImage): BaseName | undefined {
  if (manifest === undefined) return undefined;
  return {
    name: isRegistryImage(fromImage) ? registryNameOf(fromImage) : undefined,
    digest: manifest.blob.digest,
  };
}

/** A layer that exists, of an image that is open. */
export function baseLayer(
  { descriptor, diffID, history, content }: SourceLayer,
  { origin }: SourceImage,
): ImageLayer {
  const { digest, size } = descriptor;
  const comment = history?.['comment'];
  const blob: StoredLayer = {
    diffID,
    tarSize: size,
    digest,
    size,
    mediaType: ociMediaType(descriptor.mediaType),
  };
  return {
    kind: 'base',
    label: `base ${digest.slice(0, 19)}`,
    history: { comment: `layer of the base image ${origin}` },
    storePaths: typeof comment === 'string' ? storePathsOf(comment) : [],
    key: undefined,
    blob,
    origin: content.repository,
    prepare: async () => ({ source: { ...(await content.slice()), kind: 'base' }, size, warnings: [] }),
  };
}

/** Docker's own media types mean the same. @see Docker image manifest v2 schema 2, "Media Types" */
function ociMediaType(mediaType: string): string {
  if (mediaType === 'application/vnd.docker.image.rootfs.diff.tar') return LAYER_MEDIA_TYPES.none;
  if (mediaType === 'application/vnd.docker.image.rootfs.diff.tar.gzip') return LAYER_MEDIA_TYPES.gzip;
  return mediaType;
}
