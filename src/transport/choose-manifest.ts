/** Of the images that an index leads to, the one that is meant. */
import type { Digest } from '../digest.ts';
import { PhylloError } from '../errors.ts';
import type { Descriptor } from '../image/blob.ts';
import { type IndexEntry, parseIndex } from '../image/image-documents.ts';
import { INDEX_TYPES } from '../image/media-types.ts';
import { isSameName } from './image-names.ts';
import type { OciBlobs } from './oci-blobs.ts';
import { describePlatform, isPlatform, type OpenImageOptions, type PlatformChoice } from './source-image.ts';

export interface ChooseOptions extends Pick<OpenImageOptions, 'platform' | 'preferred'> {
  /** A tag or name; '' where none is given. */
  readonly reference: string;
}

export interface Candidate extends IndexEntry {
  /** Digest of the entry that leads here. */
  readonly root: Digest;
}

/** An index of indexes of manifests is what there is; this ends circles, too. */
const MAX_DEPTH = 4;
const MAX_MANIFESTS = 10_000;
const NAME_ANNOTATIONS = ['io.containerd.image.name', 'org.opencontainers.image.ref.name'];

/**
 * @param entries all that there are
 * @throws PhylloError ARCHIVE_INVALID, IMAGE_NOT_FOUND, IMAGE_AMBIGUOUS, and what the blobs throw
 */
export async function chooseManifest(
  entries: readonly IndexEntry[],
  { blobs, reference, platform = {}, preferred }: ChooseOptions & { readonly blobs: OciBlobs },
): Promise<Candidate> {
  const named = entries.filter((entry) => isMeant(entry, reference));
  if (named.length === 0) throw nameless(entries, { reference, where: blobs.name });
  const candidates = await expand(blobs, named);
  const fitting = candidates.filter((candidate) => fits(candidate, platform));
  const [first] = fitting;
  if (first === undefined) throw misfitting(candidates, blobs.name);
  if (fitting.length === 1) return first;
  const liked = preferred === undefined ? [] : fitting.filter((candidate) => isFor(candidate, preferred));
  const areSameImage = new Set(fitting.map(({ root }) => root)).size === 1;
  if (areSameImage && liked.length === 1) return liked[0] as Candidate;
  throw new PhylloError('IMAGE_AMBIGUOUS', `${blobs.name} has several images: ${list(fitting)}`, {
    hint: areSameImage
      ? 'choose with --architecture, --os and --variant'
      : 'name one: oci:DIR:TAG, oci-archive:FILE:TAG',
  });
}

/** What the entries that lead to it are called. */
export function namesOf(entries: readonly IndexEntry[], { root }: Candidate): readonly string[] {
  return [...new Set(entries.filter(({ digest }) => digest === root).flatMap(nameList))];
}

export function isMeant({ annotations }: IndexEntry, reference: string): boolean {
  if (reference === '') return true;
  const names = NAME_ANNOTATIONS.map((key) => annotations?.[key]);
  return names.some((name) => name !== undefined && isSameName(name, reference));
}

/** Each manifest once, however many names it has; indexes within the index replaced by what is in them. */
async function expand(blobs: OciBlobs, entries: readonly IndexEntry[]): Promise<readonly Candidate[]> {
  const found = new Map<Digest, Candidate>();
  const visit = async (
    entry: IndexEntry,
    { root, depth }: { root: Digest; depth: number },
  ): Promise<void> => {
    if (depth > MAX_DEPTH || found.size > MAX_MANIFESTS)
      throw new PhylloError('ARCHIVE_INVALID', `the indexes of ${blobs.name} go too deep or are too many`);
    if (INDEX_TYPES.has(entry.mediaType)) {
      const blob = await blobs.manifest(descriptorIn(entry));
      for (const inner of parseIndex(blob.bytes, `the index ${entry.digest} of ${blobs.name}`))
        await visit(inner, { root, depth: depth + 1 });
    } else if (!isAttestation(entry) && !found.has(entry.digest)) {
      found.set(entry.digest, { ...entry, root });
    }
  };
  for (const entry of entries) await visit(entry, { root: entry.digest, depth: 0 });
  return [...found.values()];
}

/** BuildKit keeps statements about an image beside it, as images for no platform. */
function isAttestation({ annotations, platform }: IndexEntry): boolean {
  return annotations?.['vnd.docker.reference.type'] !== undefined || platform?.os === 'unknown';
}

/** An index need not say for which platform an image is; then its config does. */
function fits(candidate: Candidate, wanted: PlatformChoice): boolean {
  return !candidate.platform?.architecture || isFor(candidate, wanted);
}

function isFor({ platform }: Candidate, wanted: PlatformChoice): boolean {
  return isPlatform(platform ?? {}, wanted);
}

function misfitting(candidates: readonly Candidate[], where: string): PhylloError {
  if (candidates.length === 0) return new PhylloError('IMAGE_NOT_FOUND', `${where} has no image`);
  return new PhylloError('IMAGE_NOT_FOUND', `${where} has no image for the platform asked for`, {
    hint: `it has ${list(candidates)}`,
  });
}

function nameless(
  entries: readonly IndexEntry[],
  { reference, where }: { readonly reference: string; readonly where: string },
): PhylloError {
  const what = reference === '' ? 'no image' : `no image ${JSON.stringify(reference)}`;
  const names = entries.flatMap(nameList);
  const hint = names.length === 0 ? 'its images have no names' : `it has ${names.join(', ')}`;
  return new PhylloError('IMAGE_NOT_FOUND', `${where} has ${what}`, { hint });
}

function list(candidates: readonly Candidate[]): string {
  return candidates
    .map((candidate) => {
      const name = nameList(candidate)[0] ?? candidate.digest;
      return candidate.platform ? `${name} (${describePlatform(candidate.platform)})` : name;
    })
    .join(', ');
}

/** One name for each entry: the whole one if it is there. */
function nameList({ annotations }: IndexEntry): string[] {
  const name = NAME_ANNOTATIONS.map((key) => annotations?.[key]).find((value) => value !== undefined);
  return name === undefined ? [] : [name];
}

/** What of an entry is about its blob. */
export function descriptorIn({ mediaType, digest, size }: IndexEntry): Descriptor {
  return { mediaType, digest, size };
}
