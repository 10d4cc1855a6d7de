/** An image in a Docker engine, as a source: `docker-daemon:NAME[:TAG]`, `docker-daemon:IMAGE-ID`. */
import { PhylloError } from '../../errors.ts';
import { familiarName, parseImageReference } from '../../image/image-reference.ts';
import { openStreamedFiles } from '../image-files.ts';
import type { ImageFiles } from '../image-files.ts';
import type { OpenedImage, ReadImage } from '../source-image.ts';
import { DaemonClient, imagePath } from './daemon-client.ts';
import { refusal } from './daemon-error.ts';
import type { LocateDaemon } from './daemon-address.ts';

export interface DaemonImageOptions {
  readonly daemon: LocateDaemon;
  readonly signal?: AbortSignal | undefined;
  /** Reads the image of the archive that the engine exports. */
  readonly read: (files: ImageFiles) => Promise<ReadImage>;
}

/**
 * The engine exports the image, which is laid by in a temporary file without a name.
 * @param text what follows `docker-daemon:`
 * @throws PhylloError IMAGE_REFERENCE_INVALID, IMAGE_NOT_FOUND, DAEMON_ADDRESS_INVALID, DAEMON_UNREACHABLE, DAEMON_FAILED, and what
 * opening an archive throws
 */
export async function openDaemonImage(
  text: string,
  { daemon, signal, read }: DaemonImageOptions,
): Promise<OpenedImage> {
  const isID = IMAGE_ID.test(text);
  const name = isID ? text : familiarName(parseImageReference(text, { tag: 'latest' }));
  const files = await exportImage(name, { daemon, signal });
  try {
    const image = await read(files);
    return { image: isID ? image : { ...image, names: [name] }, close: () => files[Symbol.dispose]() };
  } catch (error) {
    files[Symbol.dispose]();
    throw error;
  }
}

/** As docker has it: with `sha256:`, or the beginning of the digits that people copy from its lists. */
const IMAGE_ID = /^(sha256:[0-9a-f]{64}|[0-9a-f]{12}|[0-9a-f]{64})$/;

async function exportImage(
  name: string,
  { daemon, signal }: Pick<DaemonImageOptions, 'daemon' | 'signal'>,
): Promise<ImageFiles> {
  await using client = new DaemonClient(daemon(), { signal });
  if ((await client.find(imagePath(name, 'json'))) === undefined)
    throw new PhylloError('IMAGE_NOT_FOUND', `the Docker engine at ${client.name} has no image ${name}`, {
      hint: 'docker images lists those that it has',
    });
  const response = await client.send({ path: imagePath(name, 'get'), isLong: true });
  if (response.status !== 200) throw await refusal(response, `cannot export the image ${name}`);
  const origin = `the image ${name} of the Docker engine`;
  return await openStreamedFiles(client.body(response), {
    name: origin,
    ...(signal === undefined ? {} : { signal }),
  });
}
