/**
 * An image in an OCI layout, as a directory or in an archive.
 *
 * @see OCI image-spec v1.1, image-layout.md, image-index.md, manifest.md
 */
import { digestHex, type Digest } from '../digest.ts';
import { PhylloError } from '../errors.ts';
import type { Blob, Descriptor } from '../image/blob.ts';
import { type IndexEntry, parseImageConfig, parseIndex, parseManifest } from '../image/image-documents.ts';
import { MEDIA_TYPES } from '../image/media-types.ts';
import type { FileSlice } from './file-slice.ts';
import type { ImageFiles } from './image-files.ts';
import { isSameName } from './image-names.ts';
import { fileContent } from './layer-content.ts';
import { layerHistories, requireLayerCount } from './layer-histories.ts';
import {
  describePlatform,
  isPlatform,
  type OpenImageOptions,
  type PlatformChoice,
  type ReadImage,
} from './source-image.ts';
import { readDocument } from './verified.ts';

export interface OciImageOptions extends Pick<OpenImageOptions, 'platform' | 'preferred'> {
  /** A tag or name; '' where none is given. */
  readonly reference: string;
}

const INDEX_TYPES: ReadonlySet<string> = new Set([
  MEDIA_TYPES.index,
  'application/vnd.docker.distribution.manifest.list.v2+json',
]);
/** An index of indexes of manifests is what there is; this ends circles, too. */
const MAX_DEPTH = 4;
const MAX_MANIFESTS = 10_000;
const NAME_ANNOTATIONS = ['io.containerd.image.name', 'org.opencontainers.image.ref.name'];

/** @throws PhylloError ARCHIVE_INVALID, IMAGE_NOT_FOUND, IMAGE_AMBIGUOUS, FILE_UNREADABLE */
export function readOciImage(files: ImageFiles, options: OciImageOptions): ReadImage {
  const named = readIndex(files).filter((entry) => isMeant(entry, options.reference));
  const chosen = chooseManifest(expand(files, named), { ...options, files });
  const blob = readBlob(files, { descriptor: chosen, what: 'the manifest' });
  const manifest = parseManifest(blob.bytes, `the manifest ${chosen.digest} of ${files.name}`);
  const configBlob = readBlob(files, { descriptor: manifest.config, what: 'the config' });
  const config = parseImageConfig(configBlob.bytes, `the config ${configBlob.digest} of ${files.name}`);
  requireLayerCount(manifest.layers, { config, origin: files.name });
  const histories = layerHistories(config);
  return {
    names: namesOf(named, chosen),
    config: { blob: configBlob, document: config.document },
    manifest: { blob, mediaType: manifest.mediaType || chosen.mediaType || MEDIA_TYPES.manifest },
    platform: config.platform,
    layers: manifest.layers.map((descriptor, i) => ({
      descriptor,
      diffID: config.diffIDs[i] as Digest,
      history: histories[i],
      content: fileContent(placeOf(files, { descriptor, what: 'the layer' })),
      member: undefined,
    })),
    history: config.history,
  };
}

function readIndex(files: ImageFiles): readonly IndexEntry[] {
  const index = files.find('index.json');
  const where = `index.json of ${files.name}`;
  if (index !== undefined) return parseIndex(readDocument(index.content, where).bytes, where);
  throw new PhylloError('ARCHIVE_INVALID', `${files.name} is not an OCI layout: it has no index.json`, {
    hint: 'a docker archive is named docker-archive:FILE',
  });
}

function isMeant({ annotations }: IndexEntry, reference: string): boolean {
  if (reference === '') return true;
  const names = NAME_ANNOTATIONS.map((key) => annotations?.[key]);
  return names.some((name) => name !== undefined && isSameName(name, reference));
}

interface Candidate extends IndexEntry {
  /** Digest of the entry of index.json that leads here. */
  readonly root: Digest;
}

/** Each manifest once, however many names it has; indexes within the index replaced by what is in them. */
function expand(files: ImageFiles, entries: readonly IndexEntry[]): readonly Candidate[] {
  const found = new Map<Digest, Candidate>();
  const visit = (entry: IndexEntry, { root, depth }: { root: Digest; depth: number }): void => {
    if (depth > MAX_DEPTH || found.size > MAX_MANIFESTS)
      throw new PhylloError('ARCHIVE_INVALID', `the indexes of ${files.name} go too deep or are too many`);
    if (INDEX_TYPES.has(entry.mediaType)) {
      const blob = readBlob(files, { descriptor: entry, what: 'the index' });
      for (const inner of parseIndex(blob.bytes, `the index ${entry.digest} of ${files.name}`))
        visit(inner, { root, depth: depth + 1 });
    } else if (!isAttestation(entry) && !found.has(entry.digest)) {
      found.set(entry.digest, { ...entry, root });
    }
  };
  for (const entry of entries) visit(entry, { root: entry.digest, depth: 0 });
  return [...found.values()];
}

/** BuildKit keeps statements about an image beside it, as images for no platform. */
function isAttestation({ annotations, platform }: IndexEntry): boolean {
  return annotations?.['vnd.docker.reference.type'] !== undefined || platform?.os === 'unknown';
}

function chooseManifest(
  candidates: readonly Candidate[],
  { files, reference, platform = {}, preferred }: OciImageOptions & { readonly files: ImageFiles },
): Candidate {
  const fitting = candidates.filter((candidate) => fits(candidate, platform));
  const [first] = fitting;
  if (first === undefined) throw notFound(candidates, { files, reference });
  if (fitting.length === 1) return first;
  const liked = preferred === undefined ? [] : fitting.filter((candidate) => isFor(candidate, preferred));
  const areSameImage = new Set(fitting.map(({ root }) => root)).size === 1;
  if (areSameImage && liked.length === 1) return liked[0] as Candidate;
  throw new PhylloError('IMAGE_AMBIGUOUS', `${files.name} has several images: ${list(fitting)}`, {
    hint: areSameImage
      ? 'choose with --architecture and --os'
      : 'name one: oci:DIR:TAG, oci-archive:FILE:TAG',
  });
}

/** An index need not say for which platform an image is; then its config does. */
function fits(candidate: Candidate, wanted: PlatformChoice): boolean {
  return !candidate.platform?.architecture || isFor(candidate, wanted);
}

function isFor({ platform }: Candidate, wanted: PlatformChoice): boolean {
  return isPlatform(platform ?? {}, wanted);
}

function notFound(
  candidates: readonly Candidate[],
  { files, reference }: { readonly files: ImageFiles; readonly reference: string },
): PhylloError {
  if (candidates.length > 0)
    return new PhylloError('IMAGE_NOT_FOUND', `${files.name} has no image for the platform asked for`, {
      hint: `it has ${list(candidates)}`,
    });
  const what = reference === '' ? 'no image' : `no image ${JSON.stringify(reference)}`;
  const names = readIndex(files).flatMap(nameList);
  const hint = names.length === 0 ? 'its images have no names' : `it has ${names.join(', ')}`;
  return new PhylloError('IMAGE_NOT_FOUND', `${files.name} has ${what}`, { hint });
}

function list(candidates: readonly Candidate[]): string {
  return candidates
    .map((candidate) => {
      const name = nameList(candidate)[0] ?? candidate.digest;
      return candidate.platform ? `${name} (${describePlatform(candidate.platform)})` : name;
    })
    .join(', ');
}

function namesOf(named: readonly IndexEntry[], { root }: Candidate): readonly string[] {
  return [...new Set(named.filter(({ digest }) => digest === root).flatMap(nameList))];
}

/** One name for each entry: the whole one if it is there. */
function nameList({ annotations }: IndexEntry): string[] {
  const name = NAME_ANNOTATIONS.map((key) => annotations?.[key]).find((value) => value !== undefined);
  return name === undefined ? [] : [name];
}

interface BlobRequest {
  readonly descriptor: Pick<Descriptor, 'digest' | 'size' | 'mediaType'>;
  /** For messages: `the config`. */
  readonly what: string;
}

function readBlob(files: ImageFiles, request: BlobRequest): Blob {
  const { descriptor, what } = request;
  const place = placeOf(files, request);
  return readDocument(place, `${what} ${descriptor.digest} of ${files.name}`, descriptor);
}

function placeOf(files: ImageFiles, { descriptor, what }: BlobRequest): FileSlice {
  const { digest, size } = descriptor;
  const place = files.find(`blobs/sha256/${digestHex(digest)}`)?.content;
  if (place === undefined)
    throw new PhylloError('ARCHIVE_INVALID', `${files.name} lacks ${what} ${digest}`, {
      hint: 'the image is not whole: copy it again',
    });
  if (place.size === size) return place;
  throw new PhylloError(
    'ARCHIVE_INVALID',
    `${what} ${digest} of ${files.name} has ${place.size} bytes instead of ${size}`,
    { hint: 'the image is damaged: copy it again' },
  );
}
