/**
 * An image of OCI's form, whose documents are in a layout or in a registry.
 *
 * @see OCI image-spec v1.1, image-layout.md, image-index.md, manifest.md; Docker image manifest v2 schema 2
 */
import type { Digest } from '../digest.ts';
import { PhylloError } from '../errors.ts';
import { type IndexEntry, parseImageConfig, parseIndex, parseManifest } from '../image/image-documents.ts';
import { MEDIA_TYPES } from '../image/media-types.ts';
import { type ChooseOptions, chooseManifest, descriptorIn, isMeant, namesOf } from './choose-manifest.ts';
import type { ImageFiles } from './image-files.ts';
import { layerHistories, requireLayerCount } from './layer-histories.ts';
import { layoutBlobs, type OciBlobs } from './oci-blobs.ts';
import type { ReadImage } from './source-image.ts';
import { readDocument } from './verified.ts';

/** @throws PhylloError ARCHIVE_INVALID, IMAGE_NOT_FOUND, IMAGE_AMBIGUOUS, FILE_UNREADABLE */
export async function readLayoutImage(files: ImageFiles, options: ChooseOptions): Promise<ReadImage> {
  return await readOciImage(readLayoutIndex(files), { ...options, blobs: layoutBlobs(files) });
}

/**
 * The one of the entries that is meant.
 * @throws PhylloError ARCHIVE_INVALID, IMAGE_NOT_FOUND, IMAGE_AMBIGUOUS, and what the blobs throw
 */
export async function readOciImage(
  entries: readonly IndexEntry[],
  options: ChooseOptions & { readonly blobs: OciBlobs },
): Promise<ReadImage> {
  const { blobs, reference } = options;
  const chosen = await chooseManifest(entries, options);
  const blob = await blobs.manifest(descriptorIn(chosen));
  const manifest = parseManifest(blob.bytes, `the manifest ${chosen.digest} of ${blobs.name}`);
  const configBlob = await blobs.config(manifest.config);
  const config = parseImageConfig(configBlob.bytes, `the config ${configBlob.digest} of ${blobs.name}`);
  requireLayerCount(manifest.layers, { config, origin: blobs.name });
  const histories = layerHistories(config);
  const named = entries.filter((entry) => isMeant(entry, reference));
  return {
    names: namesOf(named, chosen),
    config: { blob: configBlob, document: config.document },
    manifest: { blob, mediaType: manifest.mediaType || chosen.mediaType || MEDIA_TYPES.manifest },
    platform: config.platform,
    layers: manifest.layers.map((descriptor, i) => ({
      descriptor,
      diffID: config.diffIDs[i] as Digest,
      history: histories[i],
      content: blobs.layer(descriptor),
      member: undefined,
    })),
    history: config.history,
  };
}

/** @throws PhylloError ARCHIVE_INVALID, FILE_UNREADABLE */
export function readLayoutIndex(files: ImageFiles): readonly IndexEntry[] {
  const index = files.find('index.json');
  const where = `index.json of ${files.name}`;
  if (index !== undefined) return parseIndex(readDocument(index.content, where).bytes, where);
  throw new PhylloError('ARCHIVE_INVALID', `${files.name} is not an OCI layout: it has no index.json`, {
    hint: 'a docker archive is named docker-archive:FILE',
  });
}
