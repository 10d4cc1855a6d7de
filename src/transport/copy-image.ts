/** Moves images between the places where they can be, without taking them apart. */
import type { Writable } from 'node:stream';
import { PhylloError } from '../errors.ts';
import type { TagAlone } from '../image/image-manifest.ts';
import { familiarName, type ImageReference } from '../image/image-reference.ts';
import type { LocateDaemon } from './daemon/daemon-address.ts';
import { DaemonTarget } from './daemon/daemon-target.ts';
import type { LoadedImage } from './daemon/load-image.ts';
import { copyToLayout } from './copy-to-layout.ts';
import { type CopiedToRegistry, copyToRegistry } from './copy-to-registry.ts';
import {
  type DaemonDestination,
  type Destination,
  parseDestination,
  type RegistryDestination,
} from './destination.ts';
import { exportRootfs } from './export-rootfs.ts';
import { referenceOf } from './image-names.ts';
import { encodeImagesArchive, type NamedImage } from './images-archive.ts';
import type { Registries } from './registry/registries.ts';
import { parseRegistryReference } from './registry/registry-reference.ts';
import type { SourceImage } from './source-image.ts';
import { writeToFile, writeToStream } from './write-bytes.ts';

/** Where a copy goes: a destination of builds, or `rootfs:FILE` and `rootfs:-`, the flat root file system as a tar. */
export type CopyDestination = Destination | RootfsDestination;

export interface RootfsDestination {
  readonly kind: 'rootfs';
  /** Undefined: the standard output. */
  readonly file: string | undefined;
}

export interface CopyOptions {
  readonly to: CopyDestination;
  /** Where `-` writes. Left open. */
  readonly stdout: Writable;
  /** For copies into one. Stay open. */
  readonly registries?: Registries;
  /** For copies into it. */
  readonly daemon?: LocateDaemon;
  readonly signal?: AbortSignal;
}

/** @throws PhylloError DESTINATION_INVALID, IMAGE_REFERENCE_INVALID */
export function parseCopyDestination(text: string): CopyDestination {
  const [, file] = /^rootfs:(.+)$/s.exec(text) ?? [];
  if (file === undefined) return parseDestination(text);
  return { kind: 'rootfs', file: file === '-' ? undefined : file };
}

/**
 * The image with its names, or with the destination's. A file appears whole or not at all, a tag when all is there.
 * @returns what became of it at a registry or an engine
 * @throws PhylloError ARCHIVE_INVALID, FILE_UNREADABLE, DESTINATION_UNWRITABLE, DISK_FULL, PIPE_CLOSED, DESTINATION_INVALID; as
 * copyToRegistry; as DaemonTarget
 */
export async function copyImage(
  image: SourceImage,
  options: CopyOptions,
): Promise<CopiedToRegistry | LoadedImage | undefined> {
  const { to } = options;
  if (to.kind === 'daemon') return await load(image, { ...options, to });
  if (to.kind === 'registry') return await push(image, { ...options, to });
  if (to.kind === 'rootfs') await write(exportRootfs(image, options), options);
  else await writeImages([image], options);
  return undefined;
}

async function load(
  image: SourceImage,
  { to, daemon, signal }: CopyOptions & { readonly to: DaemonDestination },
): Promise<LoadedImage> {
  if (daemon === undefined) throw new TypeError('no engine to copy to');
  const own = image.names.flatMap((name) => referenceOf(name) ?? [])[0];
  await using target = await DaemonTarget.open({ daemon, reference: to.reference(own), signal });
  return await target.copy(image);
}

async function push(
  image: SourceImage,
  { to, registries, signal }: CopyOptions & { readonly to: RegistryDestination },
): Promise<CopiedToRegistry> {
  if (registries === undefined) throw new TypeError('no registries to copy to');
  const own = image.names.flatMap((name) => referenceOf(name) ?? [])[0];
  const reference = parseRegistryReference(familiarName(to.reference(own)));
  return await copyToRegistry(image, { registries, reference, signal });
}

/**
 * One archive or layout of several images, in which shared layers are once. Two images must not have the same name, or in a layout tag.
 * @throws as copyImage; IMAGE_AMBIGUOUS
 */
export async function mergeImages(images: readonly SourceImage[], options: CopyOptions): Promise<void> {
  if (options.to.kind === 'rootfs') throw unsupported('one root file system of several images');
  if (images.length > 1 && options.to.kind !== 'stdout' && options.to.reference !== undefined)
    throw unsupported('one name for several images');
  await writeImages(images, options);
}

async function writeImages(images: readonly SourceImage[], options: CopyOptions): Promise<void> {
  const { to } = options;
  const named = images.map((image) => ({ image, names: namesFor(image, to) }));
  requireDistinct(named, to);
  if (to.kind !== 'layout') return await write(encodeImagesArchive(named), options);
  for (const { image, names } of named) await copyToLayout(image, { ...options, ...to, names });
}

async function write(
  chunks: AsyncIterable<Uint8Array>,
  { to, stdout, ...options }: CopyOptions,
): Promise<void> {
  if (to.kind === 'stdout' || (to.kind === 'rootfs' && to.file === undefined))
    return await writeToStream(stdout, chunks, options);
  if (to.kind === 'archive' || to.kind === 'rootfs')
    return await writeToFile(to.file as string, chunks, options);
  throw new TypeError('a layout is not a sequence of bytes');
}

function namesFor(image: SourceImage, to: CopyDestination): readonly (ImageReference | TagAlone)[] {
  const references = image.names.flatMap((name) => referenceOf(name) ?? []);
  if ((to.kind === 'archive' || to.kind === 'layout') && to.reference !== undefined) {
    const name = to.reference(references[0] ?? NAMELESS);
    return [name.name === NAMELESS.name ? { tag: name.tag } : name];
  }
  const tags = image.names.filter((name) => /^\w[\w.-]*$/.test(name)).map((tag) => ({ tag }));
  return [...references, ...tags];
}

/** Stands for the name that an image does not have, where the destination gives it a tag alone. No name is like it. */
const NAMELESS: ImageReference = { name: '', tag: 'latest' };

/** A layout knows tags alone. */
function requireDistinct(images: readonly NamedImage[], { kind }: CopyDestination): void {
  const seen = new Set<string>();
  for (const text of images.flatMap(({ names }) => [
    ...new Set(kind === 'layout' ? tags(names) : full(names)),
  ])) {
    if (seen.has(text))
      throw new PhylloError('IMAGE_AMBIGUOUS', `two of the images are named ${text}`, {
        hint: 'copy one of them under another name first',
      });
    seen.add(text);
  }
}

function tags(names: NamedImage['names']): string[] {
  return names.map(({ tag }) => tag);
}

function full(names: NamedImage['names']): string[] {
  return names.flatMap((name) => ('name' in name ? [`${name.name}:${name.tag}`] : []));
}

function unsupported(what: string): PhylloError {
  return new PhylloError('DESTINATION_INVALID', `${what} is not supported`);
}
