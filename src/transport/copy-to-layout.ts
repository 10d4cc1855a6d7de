/** Brings an image that exists into an OCI image layout: blobs that are there are not copied again. */
import { writeFully } from '../layer/chunk-sink.ts';
import { manifestOf } from './images-archive.ts';
import { type LayoutNames, LayoutTarget } from './oci-layout.ts';
import { readLayer, type SourceImage } from './source-image.ts';

export interface CopyToLayoutOptions {
  /** Becomes a layout if it is none yet. */
  readonly directory: string;
  /** Perhaps none. What had them loses them. */
  readonly names: LayoutNames;
  readonly signal?: AbortSignal;
}

/**
 * The index names the image when all its blobs are there.
 * @throws PhylloError ARCHIVE_INVALID, FILE_UNREADABLE, DESTINATION_UNWRITABLE, DISK_FULL, LAYOUT_INVALID; the signal's reason
 */
export async function copyToLayout(
  image: SourceImage,
  { directory, names, signal }: CopyToLayoutOptions,
): Promise<void> {
  const mediaType = image.manifest?.mediaType;
  const target = await LayoutTarget.create(directory, {
    platform: image.platform,
    names,
    ...(mediaType === undefined ? {} : { mediaType }),
  });
  try {
    for (const index of image.layers.keys()) await copyLayer(image, { index, target, signal });
    const layers = image.layers.map(({ descriptor }) => descriptor);
    await target.commit({ config: image.config.blob, manifest: manifestOf(image), layers });
  } finally {
    await target.discard();
  }
}

async function copyLayer(
  { layers }: SourceImage,
  {
    index,
    target,
    signal,
  }: { readonly index: number; readonly target: LayoutTarget; readonly signal: AbortSignal | undefined },
): Promise<void> {
  const layer = layers[index];
  if (layer === undefined || (await target.has(layer.descriptor))) return;
  const place = await target.open(index);
  let at = place.offset;
  for await (const chunk of readLayer(layer)) {
    writeFully(place, chunk, at);
    at += chunk.length;
    signal?.throwIfAborted();
  }
  await target.close(index, layer.descriptor);
}
