/** Brings an image that exists into a registry: what is there already, or can be mounted, is neither read nor sent. */
import pLimit from 'p-limit';
import type { Digest } from '../digest.ts';
import type { StoredLayer } from '../layer/stored-layer.ts';
import { manifestOf } from './images-archive.ts';
import type { Registries } from './registry/registries.ts';
import type { RegistryReference } from './registry/registry-reference.ts';
import { type PushCounts, RegistryTarget } from './registry/registry-target.ts';
import { readLayer, type SourceImage, type SourceLayer } from './source-image.ts';

export interface CopyToRegistryOptions {
  readonly registries: Registries;
  /** Without a tag the image is there by its digest alone. */
  readonly reference: RegistryReference;
  /** Other repositories of the registry that may have some of the blobs. */
  readonly mountFrom?: readonly string[];
  /** Told of bytes that are on their way. */
  readonly onSent?: (bytes: number) => void;
  readonly signal?: AbortSignal | undefined;
}

export interface CopiedToRegistry extends PushCounts {
  /** Of the manifest. */
  readonly digest: Digest;
}

const LAYERS_AT_A_TIME = 4;

/**
 * The tag names the image when all its blobs are there.
 * @throws PhylloError ARCHIVE_INVALID, FILE_UNREADABLE, NETWORK_FAILED, REGISTRY_FAILED, REGISTRY_UNAUTHORIZED; the signal's reason
 */
export async function copyToRegistry(
  image: SourceImage,
  { registries, mountFrom = [], onSent = () => undefined, reference, signal }: CopyToRegistryOptions,
): Promise<CopiedToRegistry> {
  const client = registries.client(reference.host);
  const mediaType = image.manifest?.mediaType;
  const target = new RegistryTarget(client, { reference, mediaType, mountFrom, onSent, signal });
  const manifest = manifestOf(image);
  const documents = {
    config: image.config.blob,
    manifest,
    layers: image.layers.map(({ descriptor }) => descriptor),
  };
  try {
    await target.foresee(documents);
    const limit = pLimit(LAYERS_AT_A_TIME);
    await Promise.all(
      largestFirst(image.layers).map(([index, layer]) =>
        limit(async () => await copyLayer(layer, { index, target })),
      ),
    );
    await target.commit(documents);
    return { digest: manifest.digest, ...target.counts };
  } finally {
    await target.discard();
  }
}

/** With their places in the image. */
function largestFirst(layers: readonly SourceLayer[]): (readonly [number, SourceLayer])[] {
  return [...layers.entries()].sort(([, left], [, right]) => right.descriptor.size - left.descriptor.size);
}

async function copyLayer(
  layer: SourceLayer,
  { index, target }: { readonly index: number; readonly target: RegistryTarget },
): Promise<void> {
  const { descriptor, diffID, content } = layer;
  const blob: StoredLayer = { ...descriptor, diffID, tarSize: descriptor.size };
  if (await target.has(blob, { origin: content.repository })) return;
  do {
    const place = await target.open(index, blob);
    for await (const chunk of readLayer(layer)) await place.write(Buffer.from(chunk));
  } while ((await target.close(index, blob)) === 'again');
}
