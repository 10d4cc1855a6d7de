/**
 * Images that exist: where they are read from, and what they are.
 *
 * Sources, with the names of containers-transports(5): `docker-archive:FILE[:NAME[:TAG]|:@INDEX]`, `oci-archive:FILE[:TAG]`,
 * `oci:DIR[:TAG]`, `docker://REFERENCE`, `docker-daemon:NAME[:TAG]`, or the file or directory alone, whose kind shows. Archives may be compressed.
 */
import { PhylloError } from '../errors.ts';
import { openDaemonImage } from './daemon/daemon-image.ts';
import { readDockerImage } from './docker-image.ts';
import { type ImageFiles, openImageFiles } from './image-files.ts';
import { readLayoutImage } from './oci-image.ts';
import { describeRegistryReference, parseRegistryReference } from './registry/registry-reference.ts';
import { openRegistryImage, withTag } from './registry/registry-image.ts';
import {
  describePlatform,
  isPlatform,
  type OpenedImage,
  type OpenImageOptions,
  type PlatformChoice,
  type ReadImage,
  type SourceImage,
} from './source-image.ts';

/**
 * Documents are verified here, layers when they are read.
 * @throws PhylloError SOURCE_INVALID, FILE_UNREADABLE, ARCHIVE_INVALID, IMAGE_NOT_FOUND, IMAGE_AMBIGUOUS; of a registry, as openRegistryImage; of an engine,
 * as openDaemonImage
 */
export async function openImage(text: string, options: OpenImageOptions = {}): Promise<SourceImage> {
  const source = parseImageSource(text);
  const { image, close } = await openSource(source, options);
  try {
    requirePlatform(image, options.platform ?? {});
    return { ...image, origin: text, close };
  } catch (error) {
    close();
    throw error;
  }
}

export interface ImageSourceName {
  readonly transport: 'docker-archive' | 'oci-archive' | 'oci' | 'docker' | 'docker-daemon' | 'detect';
  /** Of a file or directory; what follows `docker://` or `docker-daemon:`. */
  readonly path: string;
  /** '' where none is given. */
  readonly reference: string;
}

/** @throws PhylloError SOURCE_INVALID */
export function parseImageSource(text: string): ImageSourceName {
  const [, inRegistry] = /^docker:\/\/(.+)$/s.exec(text) ?? [];
  if (inRegistry !== undefined) return { transport: 'docker', path: inRegistry, reference: '' };
  const [, inDaemon] = /^docker-daemon:(.+)$/s.exec(text) ?? [];
  if (inDaemon !== undefined) return { transport: 'docker-daemon', path: inDaemon, reference: '' };
  const [, transport, path = '', , reference = ''] =
    /^(docker-archive|oci-archive|oci):([^:]*)(:(.*))?$/s.exec(text) ?? [];
  if (transport === undefined && text !== '' && !/^[a-z][a-z-]*:/.test(text))
    return { transport: 'detect', path: text, reference: '' };
  if (transport !== undefined && path !== '')
    return { transport: transport as ImageSourceName['transport'], path, reference };
  throw new PhylloError('SOURCE_INVALID', `not an image: ${JSON.stringify(text)}`, {
    hint: 'images: docker-archive:FILE[:NAME:TAG], oci-archive:FILE[:TAG], oci:DIR[:TAG], docker://NAME[:TAG|@DIGEST], docker-daemon:NAME[:TAG], or the file or directory alone',
  });
}

async function openSource(source: ImageSourceName, options: OpenImageOptions): Promise<OpenedImage> {
  if (source.transport === 'docker-daemon') return await openFromDaemon(source, options);
  if (source.transport !== 'docker') return await openFiles(source, options);
  const { registries } = options;
  if (registries === undefined) throw new TypeError('no registries to look into');
  return await openRegistryImage(source.path, { ...options, registries });
}

async function openFromDaemon(source: ImageSourceName, options: OpenImageOptions): Promise<OpenedImage> {
  const { daemon, signal } = options;
  if (daemon === undefined) throw new TypeError('no engine to look into');
  const read = async (files: ImageFiles): Promise<ReadImage> =>
    await readImage(files, { ...source, transport: 'detect' }, options);
  return await openDaemonImage(source.path, { daemon, signal, read });
}

async function openFiles(source: ImageSourceName, options: OpenImageOptions): Promise<OpenedImage> {
  const { signal } = options;
  const files = await openImageFiles(source.path, signal === undefined ? {} : { signal });
  try {
    return { image: await readImage(files, source, options), close: () => files[Symbol.dispose]() };
  } catch (error) {
    files[Symbol.dispose]();
    throw error;
  }
}

/** Whether the text names an image in a registry, as a source or as a destination. */
export function isRegistryImage(text: string): boolean {
  return text.startsWith('docker://');
}

/** The same of an image in a Docker engine. */
export function isDaemonImage(text: string): boolean {
  return text.startsWith('docker-daemon:');
}

/**
 * The registry that such a text names.
 * @throws PhylloError IMAGE_REFERENCE_INVALID, DIGEST_INVALID
 */
export function registryOf(text: string): string {
  return parseRegistryReference(text.slice('docker://'.length)).host;
}

/**
 * What such a text names, with all that it leaves to be understood: `docker.io/library/debian:latest` for `docker://debian`.
 * @throws PhylloError IMAGE_REFERENCE_INVALID, DIGEST_INVALID
 */
export function registryNameOf(text: string): string {
  return describeRegistryReference(withTag(parseRegistryReference(text.slice('docker://'.length))));
}

async function readImage(
  files: ImageFiles,
  { transport, reference }: ImageSourceName,
  options: OpenImageOptions,
): Promise<ReadImage> {
  const isDocker = transport === 'docker-archive' || (transport === 'detect' && !isLayout(files));
  if (isDocker) return await readDockerImage(files, { reference });
  return await readLayoutImage(files, { ...options, reference });
}

function isLayout(files: ImageFiles): boolean {
  return files.find('index.json') !== undefined && files.find('oci-layout') !== undefined;
}

function requirePlatform({ platform }: ReadImage, wanted: PlatformChoice): void {
  if (isPlatform(platform, wanted)) return;
  throw new PhylloError(
    'IMAGE_NOT_FOUND',
    `the image is for ${describePlatform(platform)}, not for ${describePlatform(wanted)}`,
  );
}
