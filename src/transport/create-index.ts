/** Brings images for several platforms to one place, under one name. */
import { PhylloError } from '../errors.ts';
import { type Blob, type Descriptor, descriptorOf } from '../image/blob.ts';
import { annotateManifest, type Annotations, encodeImageIndex } from '../image/image-index.ts';
import { familiarName, type ImageReference } from '../image/image-reference.ts';
import { MEDIA_TYPES } from '../image/media-types.ts';
import { copyToLayout } from './copy-to-layout.ts';
import { copyToRegistry } from './copy-to-registry.ts';
import type { Destination } from './destination.ts';
import { referenceOf } from './image-names.ts';
import { manifestOf } from './images-archive.ts';
import { type IndexPlace, publishIndex } from './publish-index.ts';
import type { PushCounts } from './registry/registry-target.ts';
import type { Registries } from './registry/registries.ts';
import { parseRegistryReference } from './registry/registry-reference.ts';
import type { SourceImage } from './source-image.ts';

export interface IndexAnnotations {
  readonly index: Annotations;
  /** Of each image's manifest, whose digest they change. */
  readonly manifest: Annotations;
  /** Of each image's descriptor in the index. */
  readonly descriptor: Annotations;
}

export interface CreateIndexOptions {
  readonly to: Destination;
  readonly annotations: IndexAnnotations;
  /** Stay open. */
  readonly registries: Registries;
  readonly signal?: AbortSignal | undefined;
}

export interface CreatedIndex extends PushCounts {
  /** Of the index. */
  readonly descriptor: Descriptor;
  /** Undefined for a layout. */
  readonly name: string | undefined;
}

const NOTHING: PushCounts = { present: 0, mounted: 0, sent: 0, bytesSent: 0 };

/**
 * The images come first, by their digests alone, then the index with the tag. What is there already is not sent.
 * @throws PhylloError DESTINATION_INVALID, IMAGE_AMBIGUOUS, ARCHIVE_INVALID, and what copies to the destination throw
 */
export async function createIndex(
  sources: readonly SourceImage[],
  { to, annotations, registries, signal }: CreateIndexOptions,
): Promise<CreatedIndex> {
  const place = placeOf(to, { sources, registries });
  const images = sources.map((image) => withAnnotations(image, annotations.manifest));
  const index = encodeImageIndex(
    images.map((image) => ({
      manifest: descriptorOf(manifestOf(image), image.manifest?.mediaType ?? MEDIA_TYPES.manifest),
      platform: image.platform,
      annotations: annotations.descriptor,
    })),
    annotations.index,
  );
  let counts = NOTHING;
  // One after the other: what they share is there when the next one comes.
  for (const image of images) counts = sum(counts, await copyPart(image, { place, signal }));
  const bytes = await publishIndex(index, { place, signal });
  return {
    ...counts,
    bytesSent: counts.bytesSent + bytes,
    descriptor: descriptorOf(index, MEDIA_TYPES.index),
    name: place.kind === 'registry' ? familiarName(place.reference) : undefined,
  };
}

function placeOf(
  to: Destination,
  { sources, registries }: { readonly sources: readonly SourceImage[]; readonly registries: Registries },
): IndexPlace {
  const own = sources.flatMap(({ names }) => names.flatMap((name) => referenceOf(name) ?? []))[0];
  if (to.kind === 'registry') return { kind: 'registry', reference: to.reference(own), registries };
  if (to.kind === 'layout')
    return { kind: 'layout', directory: to.directory, reference: to.reference?.(own) ?? requireName(own) };
  throw new PhylloError('DESTINATION_INVALID', 'an index cannot be written there', {
    hint: 'destinations of an index: docker://NAME[:TAG], oci:DIR[:NAME:TAG]',
  });
}

function requireName(own: ImageReference | undefined): ImageReference {
  if (own !== undefined) return own;
  throw new PhylloError('DESTINATION_INVALID', 'the index has no name', { hint: 'write oci:DIR:NAME:TAG' });
}

function withAnnotations(image: SourceImage, annotations: Annotations): SourceImage {
  const blob: Blob = annotateManifest(manifestOf(image), annotations);
  return { ...image, manifest: { blob, mediaType: image.manifest?.mediaType ?? MEDIA_TYPES.manifest } };
}

async function copyPart(
  image: SourceImage,
  { place, signal }: { readonly place: IndexPlace; readonly signal: AbortSignal | undefined },
): Promise<PushCounts> {
  if (place.kind === 'registry') {
    const reference = { ...parseRegistryReference(familiarName(place.reference)), tag: undefined };
    return await copyToRegistry(image, { registries: place.registries, reference, signal });
  }
  const { directory } = place;
  await copyToLayout(image, { directory, names: 'none', ...(signal === undefined ? {} : { signal }) });
  return NOTHING;
}

function sum(one: PushCounts, other: PushCounts): PushCounts {
  return {
    present: one.present + other.present,
    mounted: one.mounted + other.mounted,
    sent: one.sent + other.sent,
    bytesSent: one.bytesSent + other.bytesSent,
  };
}
