/**
 * Brings an image into an engine and leaves out of the archive what the engine has.
 *
 * 1. An image that is there gets its name; nothing is loaded.
 * 2. The archive without the layers that seem to be there, and without a name. An engine that misses one refuses it, or (with a
 *    containerd store) takes it and says of the image that it is not whole.
 * 3. Then the whole archive, once.
 * 4. The engine must have the image that was made, and only then it gets its name: what had the name before keeps it till then.
 */
import { z } from 'zod';
import type { Digest } from '../../digest.ts';
import { PhylloError } from '../../errors.ts';
import type { Blob } from '../../image/blob.ts';
import { familiarName, type ImageReference } from '../../image/image-reference.ts';
import { type DaemonClient, imagePath } from './daemon-client.ts';
import { daemonFailure, refusal } from './daemon-error.ts';
import { type Engine } from './engine.ts';
import { findPresentLayers, type LayerToFind } from './present-layers.ts';

export interface ImageToLoad {
  readonly config: Blob;
  readonly manifest: Blob;
  /** Bottom to top. */
  readonly layers: readonly LayerToFind[];
  /** An archive of the image without names, and without the layers with these digests. Called once for each attempt. */
  archive(omitted: ReadonlySet<Digest>): AsyncIterable<Uint8Array>;
}

export interface LoadOptions {
  readonly engine: Engine;
  readonly reference: ImageReference;
  /** Told of bytes that are on their way. */
  readonly onSent: (bytes: number) => void;
}

/** What became of an image at an engine. */
export interface LoadedImage {
  /** As Docker's users write it: `hello:1`. */
  readonly name: string;
  /** As the engine has it: of the config, or with a containerd store of the manifest. */
  readonly imageID: Digest;
  /** Layers that were there. */
  readonly present: number;
  /** Layers that were sent. */
  readonly sent: number;
  /** Of archives, those that were refused included. */
  readonly bytesSent: number;
  /** Why more was sent than seemed necessary. One sentence each. */
  readonly warnings: readonly string[];
}

/** @throws PhylloError DAEMON_UNREACHABLE, DAEMON_FAILED, what making the archive throws; the signal's reason */
export async function loadImage(
  client: DaemonClient,
  image: ImageToLoad,
  { engine, reference, onSent }: LoadOptions,
): Promise<LoadedImage> {
  const imageID = engine.kind === 'containerd' ? image.manifest.digest : image.config.digest;
  const load = new Loading(client, { image, imageID, engine, onSent });
  await load.bring();
  await nameImage(client, { imageID, reference });
  const { present, bytesSent, warnings } = load;
  const sent = image.layers.length - present;
  return { name: familiarName(reference), imageID, present, sent, bytesSent, warnings };
}

interface LoadingOptions extends Pick<LoadOptions, 'engine' | 'onSent'> {
  readonly image: ImageToLoad;
  readonly imageID: Digest;
}

class Loading {
  /** Layers that were not sent in the attempt that counts. */
  present = 0;
  bytesSent = 0;
  readonly warnings: string[] = [];
  readonly #client: DaemonClient;
  readonly #options: LoadingOptions;

  constructor(client: DaemonClient, options: LoadingOptions) {
    this.#client = client;
    this.#options = options;
  }

  async bring(): Promise<void> {
    const { image, imageID, engine } = this.#options;
    const { layers } = image;
    if (engine.tellsMissing && (await isWhole(this.#client, imageID))) {
      this.present = layers.length;
      return;
    }
    const present = await findPresentLayers(this.#client, { engine, layers });
    if (present.size > 0 && (await this.#isTakenWithout(present))) {
      this.present = present.size;
      return;
    }
    await this.#load(new Set());
    if (!(await isWhole(this.#client, imageID))) throw notThere(imageID);
  }

  async #isTakenWithout(present: ReadonlySet<number>): Promise<boolean> {
    const { image, imageID } = this.#options;
    const layers = [...image.layers.entries()];
    const needed = new Set(layers.flatMap(([i, { digest }]) => (present.has(i) ? [] : [digest])));
    // The same layer may be there once more, higher up.
    const omitted = layers.flatMap(([i, { digest }]) =>
      present.has(i) && !needed.has(digest) ? [digest] : [],
    );
    try {
      await this.#load(new Set(omitted));
      if (await isWhole(this.#client, imageID)) return true;
      this.#warn('it says that the image is not whole');
    } catch (error) {
      if (!(error instanceof PhylloError) || error.code !== 'DAEMON_FAILED') throw error;
      this.#warn(error.message);
    }
    return false;
  }

  #warn(reason: string): void {
    this.warnings.push(
      `all layers were sent: the Docker engine did not take the image without those that it seemed to have (${reason})`,
    );
  }

  async #load(omitted: ReadonlySet<Digest>): Promise<void> {
    const { image } = this.#options;
    const response = await this.#client.send({
      method: 'POST',
      path: '/images/load?quiet=1',
      headers: { 'content-type': 'application/x-tar' },
      body: () => this.#counted(image.archive(omitted)),
      isLong: true,
    });
    if (response.status !== 200) throw await refusal(response, 'cannot load the image');
    const failure = failureIn(await this.#client.text(response));
    if (failure !== undefined) throw daemonFailure('cannot load the image', failure);
  }

  async *#counted(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const chunk of chunks) {
      this.bytesSent += chunk.length;
      this.#options.onSent(chunk.length);
      yield chunk;
    }
  }
}

/**
 * What went wrong, of an answer whose status was decided before that.
 * @param text JSON documents, one after the other
 */
export function failureIn(text: string): string | undefined {
  for (const line of text.split('\n')) {
    const { error, errorDetail, stream } = parseLine(line);
    if (errorDetail?.message !== undefined || error !== undefined) return errorDetail?.message ?? error;
    // A containerd store keeps an image that it could not unpack, and goes on.
    if (stream?.startsWith('Error unpacking image') === true) return stream.trim();
  }
  return undefined;
}

const answerLine = z.object({
  error: z.string().optional(),
  errorDetail: z.object({ message: z.string().optional() }).optional(),
  stream: z.string().optional(),
});

function parseLine(line: string): z.infer<typeof answerLine> {
  try {
    return answerLine.safeParse(JSON.parse(line)).data ?? {};
  } catch {
    return {};
  }
}

const imageDetails = z.object({
  Id: z.string(),
  Manifests: z.array(z.object({ ID: z.string(), Available: z.boolean() })).nullish(),
});

/** Whether the engine has the image and, where it tells, all blobs of it. */
async function isWhole(client: DaemonClient, imageID: Digest): Promise<boolean> {
  const found = imageDetails.safeParse(await client.find(`${imagePath(imageID, 'json')}?manifests=1`)).data;
  const manifest = found?.Manifests?.find(({ ID: id }) => id === imageID);
  return found?.Id === imageID && (manifest?.Available ?? true);
}

/** @throws PhylloError DAEMON_FAILED unless the name means the image afterwards */
async function nameImage(
  client: DaemonClient,
  { imageID, reference }: { readonly imageID: Digest; readonly reference: ImageReference },
): Promise<void> {
  const { name, tag } = reference;
  const path = `${imagePath(imageID, 'tag')}?${new URLSearchParams({ repo: name, tag }).toString()}`;
  const response = await client.send({ method: 'POST', path });
  if (response.status >= 300)
    throw await refusal(response, `cannot name the image ${familiarName(reference)}`);
  await response.discard();
  const named = await client.find(imagePath(familiarName(reference), 'json'));
  if (imageDetails.safeParse(named).data?.Id !== imageID) throw notThere(imageID);
}

function notThere(imageID: Digest): PhylloError {
  return daemonFailure('does not have the image that it was sent', `there is no whole image ${imageID}`);
}
