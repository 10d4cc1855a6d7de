/**
 * An image in a docker archive, whoever wrote it: Docker (layers as `HEX/layer.tar`, repeated ones as links, or a layout's
 * blobs), podman, skopeo, nixpkgs, or Phyllo.
 *
 * @see Docker image spec v1.2, "Combined Image JSON + Filesystem Changeset Format"
 */
import type { Digest } from '../digest.ts';
import { PhylloError } from '../errors.ts';
import { type DockerManifestEntry, parseDockerManifest, parseImageConfig } from '../image/image-documents.ts';
import { MEDIA_TYPES } from '../image/media-types.ts';
import { type Compression, compressionOf } from './decompress.ts';
import type { ImageFile, ImageFiles } from './image-files.ts';
import { fileContent } from './layer-content.ts';
import { isSameName } from './image-names.ts';
import { layerHistories, requireLayerCount } from './layer-histories.ts';
import type { ReadImage, SourceLayer } from './source-image.ts';
import { digestOf, readDocument } from './verified.ts';

/** @throws PhylloError ARCHIVE_INVALID, IMAGE_NOT_FOUND, IMAGE_AMBIGUOUS, FILE_UNREADABLE */
export async function readDockerImage(
  files: ImageFiles,
  { reference }: { readonly reference: string },
): Promise<ReadImage> {
  const found = files.find('manifest.json');
  if (found === undefined) throw noManifest(files);
  const where = `manifest.json of ${files.name}`;
  const entries = parseDockerManifest(readDocument(found.content, where).bytes, where);
  const entry = chooseEntry(entries, { reference, files });
  const configName = `the config ${entry.config} of ${files.name}`;
  const blob = readDocument(required(files, entry.config).content, configName);
  const config = parseImageConfig(blob.bytes, configName);
  requireLayerCount(entry.layers, { config, origin: files.name });
  const histories = layerHistories(config);
  const layers: SourceLayer[] = [];
  for (const [i, path] of entry.layers.entries()) {
    const diffID = config.diffIDs[i] as Digest;
    layers.push({ ...(await readLayerFile(files, { path, diffID })), history: histories[i] });
  }
  return {
    names: entry.repoTags,
    config: { blob, document: config.document },
    manifest: undefined,
    platform: config.platform,
    layers,
    history: config.history,
  };
}

function chooseEntry(
  entries: readonly DockerManifestEntry[],
  { reference, files }: { readonly reference: string; readonly files: ImageFiles },
): DockerManifestEntry {
  const matching = entries.filter((entry, i) => isMeant(reference, { entry, i }));
  if (matching.length === 1) return matching[0] as DockerManifestEntry;
  const names = entries.map(({ repoTags }, i) => (repoTags.length === 0 ? `@${i}` : repoTags.join(' or ')));
  if (matching.length === 0) {
    throw new PhylloError('IMAGE_NOT_FOUND', `${files.name} has no image ${JSON.stringify(reference)}`, {
      hint: entries.length === 0 ? 'it has no image at all' : `it has ${names.join(', ')}`,
    });
  }
  throw new PhylloError('IMAGE_AMBIGUOUS', `${files.name} has several images: ${names.join(', ')}`, {
    hint: `name one: docker-archive:${files.name}:${names[0]?.split(' ')[0]}`,
  });
}

/** `@1` is the second image, as skopeo has it. */
function isMeant(
  reference: string,
  { entry, i }: { readonly entry: DockerManifestEntry; readonly i: number },
): boolean {
  if (reference === '' || reference === `@${i}`) return true;
  return entry.repoTags.some((tag) => isSameName(tag, reference));
}

const LAYER_TYPES: Readonly<Partial<Record<Compression, string>>> = {
  none: MEDIA_TYPES.layer,
  gzip: `${MEDIA_TYPES.layer}+gzip`,
  zstd: `${MEDIA_TYPES.layer}+zstd`,
};

/** A layer that is not compressed has its diff ID as its digest. One that is must be read for it. */
async function readLayerFile(
  files: ImageFiles,
  { path, diffID }: { readonly path: string; readonly diffID: Digest },
): Promise<Omit<SourceLayer, 'history'>> {
  const { content: place, header } = required(files, path);
  const compression = compressionOf(place);
  const mediaType = LAYER_TYPES[compression];
  if (mediaType === undefined) {
    throw new PhylloError(
      'ARCHIVE_INVALID',
      `the layer ${path} of ${files.name} is compressed with ${compression}, which no image format knows`,
    );
  }
  const digest = compression === 'none' ? diffID : await digestOf(place);
  const descriptor = { mediaType, digest, size: place.size };
  return { descriptor, diffID, content: fileContent(place), member: { path, header } };
}

function required(files: ImageFiles, path: string): ImageFile {
  const file = files.find(path);
  if (file !== undefined) return file;
  throw new PhylloError('ARCHIVE_INVALID', `${files.name} lacks ${path}, which its manifest.json names`, {
    hint: 'the archive is not whole: save it again',
  });
}

function noManifest(files: ImageFiles): PhylloError {
  const isLegacy = files.find('repositories') !== undefined;
  const what = isLegacy ? 'an archive of a Docker older than 1.10' : 'not a docker archive';
  return new PhylloError('ARCHIVE_INVALID', `${files.name} is ${what}: it has no manifest.json`, {
    hint: isLegacy
      ? 'load it into Docker and save it again'
      : 'name what it is: oci-archive:FILE, oci:DIR; or make it again',
  });
}
