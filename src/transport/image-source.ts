/**
 * Images that exist: where they are read from, and what they are.
 *
 * Sources, with the names of containers-transports(5): `docker-archive:FILE[:NAME[:TAG]|:@INDEX]`, `oci-archive:FILE[:TAG]`,
 * `oci:DIR[:TAG]`, or the file or directory alone, whose kind shows. Archives may be compressed.
 */
import { PhylloError } from '../errors.ts';
import { readDockerImage } from './docker-image.ts';
import { type ImageFiles, openImageFiles } from './image-files.ts';
import { readLayoutImage } from './oci-image.ts';
import {
  describePlatform,
  isPlatform,
  type OpenImageOptions,
  type PlatformChoice,
  type ReadImage,
  type SourceImage,
} from './source-image.ts';

/**
 * Documents are verified here, layers when they are read.
 * @throws PhylloError SOURCE_INVALID, FILE_UNREADABLE, ARCHIVE_INVALID, IMAGE_NOT_FOUND, IMAGE_AMBIGUOUS
 */
export async function openImage(text: string, options: OpenImageOptions = {}): Promise<SourceImage> {
  const source = parseImageSource(text);
  const { signal } = options;
  const files = await openImageFiles(source.path, signal === undefined ? {} : { signal });
  try {
    const image = await readImage(files, source, options);
    requirePlatform(image, options.platform ?? {});
    return { ...image, origin: text, close: () => files[Symbol.dispose]() };
  } catch (error) {
    files[Symbol.dispose]();
    throw error;
  }
}

export interface ImageSourceName {
  readonly transport: 'docker-archive' | 'oci-archive' | 'oci' | 'detect';
  readonly path: string;
  /** '' where none is given. */
  readonly reference: string;
}

/** @throws PhylloError SOURCE_INVALID */
export function parseImageSource(text: string): ImageSourceName {
  const [, transport, path = '', , reference = ''] =
    /^(docker-archive|oci-archive|oci):([^:]*)(:(.*))?$/s.exec(text) ?? [];
  if (transport === undefined && text !== '' && !/^[a-z][a-z-]*:/.test(text))
    return { transport: 'detect', path: text, reference: '' };
  if (transport !== undefined && path !== '')
    return { transport: transport as ImageSourceName['transport'], path, reference };
  throw new PhylloError('SOURCE_INVALID', `not an image: ${JSON.stringify(text)}`, {
    hint: 'images: docker-archive:FILE[:NAME:TAG], oci-archive:FILE[:TAG], oci:DIR[:TAG], or the file or directory alone',
  });
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
