/** A Docker engine as a destination: of builds, and of copies of images that exist. */
import type { Digest } from '../../digest.ts';
import type { Image, ImageDocuments } from '../../image/image.ts';
import type { ImageReference } from '../../image/image-reference.ts';
import type { Compression } from '../../layer/encoder.ts';
import { archiveMembers } from '../archive-members.ts';
import { streamArchive } from '../archive-stream.ts';
import { encodeImagesArchive, manifestOf } from '../images-archive.ts';
import type { KnownLayer } from '../known-layers.ts';
import type { LayerTools } from '../make-blobs.ts';
import type { SourceImage } from '../source-image.ts';
import type { LocateDaemon } from './daemon-address.ts';
import { DaemonClient } from './daemon-client.ts';
import { type Engine, readEngine } from './engine.ts';
import { type LoadedImage, loadImage } from './load-image.ts';
import { writtenChunks } from './written-chunks.ts';

export interface DaemonTargetOptions {
  readonly daemon: LocateDaemon;
  readonly reference: ImageReference;
  /** Told of bytes that are on their way. */
  readonly onSent?: (bytes: number) => void;
  readonly signal?: AbortSignal | undefined;
}

/** An image as a build has it, all its digests known. */
export interface BuiltForDaemon {
  readonly image: Image;
  readonly documents: ImageDocuments;
  /** The image's layers, in their order. */
  readonly stored: readonly KnownLayer[];
  readonly compression: Compression;
  readonly tools: LayerTools;
}

/** Whoever opens it closes it. */
export class DaemonTarget implements AsyncDisposable {
  readonly #client: DaemonClient;
  readonly #engine: Engine;
  readonly #options: DaemonTargetOptions;

  private constructor(client: DaemonClient, engine: Engine, options: DaemonTargetOptions) {
    this.#client = client;
    this.#engine = engine;
    this.#options = options;
  }

  /**
   * Talks to the engine, so that one that is not there is an error before anything is made.
   * @throws PhylloError DAEMON_ADDRESS_INVALID, DAEMON_UNREACHABLE, DAEMON_FAILED; the signal's reason
   */
  static async open(options: DaemonTargetOptions): Promise<DaemonTarget> {
    const client = new DaemonClient(options.daemon(), options);
    try {
      return new DaemonTarget(client, await readEngine(client), options);
    } catch (error) {
      await client[Symbol.asyncDispose]();
      throw error;
    }
  }

  /**
   * Layers that are sent are made in the stream, and compared with what they were known to be.
   * @throws PhylloError as loadImage and streamArchive
   */
  async build({ image, documents, stored, ...making }: BuiltForDaemon): Promise<LoadedImage> {
    const archive = (omitted: ReadonlySet<Digest>): AsyncIterable<Uint8Array> => {
      const kept = [...stored.keys()].filter((i) => !omitted.has((stored[i] as KnownLayer).digest));
      const sent = { layers: pick(image.layers, kept), stored: pick(stored, kept) };
      const members = archiveMembers({
        ...making,
        image,
        documents,
        stored: sent.stored,
        reference: undefined,
      });
      return writtenChunks(async (output) => await streamArchive(output, { ...making, ...sent, members }));
    };
    return await this.#load({ ...documents, layers: stored, archive });
  }

  /** @throws PhylloError as loadImage, and what reading the image throws */
  async copy(image: SourceImage): Promise<LoadedImage> {
    return await this.#load({
      config: image.config.blob,
      manifest: manifestOf(image),
      layers: image.layers.map(({ descriptor, diffID }) => ({ digest: descriptor.digest, diffID })),
      archive: (omitted) => encodeImagesArchive([{ image, names: [] }], { omitted }),
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client[Symbol.asyncDispose]();
  }

  async #load(image: Parameters<typeof loadImage>[1]): Promise<LoadedImage> {
    const { reference, onSent = () => undefined } = this.#options;
    return await loadImage(this.#client, image, { engine: this.#engine, reference, onSent });
  }
}

function pick<T>(list: readonly T[], indices: readonly number[]): T[] {
  return indices.map((i) => list[i] as T);
}
