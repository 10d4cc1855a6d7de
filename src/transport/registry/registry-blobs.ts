/** An image's documents and layers in a registry. Layers come when somebody reads them, and only then. */
import type { Digest } from '../../digest.ts';
import { PhylloError } from '../../errors.ts';
import type { Blob, Descriptor } from '../../image/blob.ts';
import type { LayerContent } from '../layer-content.ts';
import type { OciBlobs } from '../oci-blobs.ts';
import { Spool } from '../spool.ts';
import { collectDocument, verified } from '../verified.ts';
import { downloadBlob } from './download-blob.ts';
import { getManifest } from './manifests.ts';
import type { RegistryClient } from './registry-client.ts';

export interface RegistryBlobsOptions {
  readonly repository: string;
  readonly signal: AbortSignal | undefined;
}

/** Whoever makes it disposes of it: then the files are gone in which layers were laid by. */
export class RegistryBlobs implements OciBlobs, Disposable {
  readonly name: string;
  readonly #client: RegistryClient;
  readonly #repository: string;
  readonly #layers = new Map<Digest, LayerContent>();
  readonly #spools = new DisposableStack();
  readonly #closing = new AbortController();
  readonly #signal: AbortSignal;

  constructor(client: RegistryClient, { repository, signal }: RegistryBlobsOptions) {
    this.name = `${client.host}/${repository}`;
    this.#client = client;
    this.#repository = repository;
    const own = this.#closing.signal;
    this.#signal = signal === undefined ? own : AbortSignal.any([signal, own]);
  }

  async manifest({ digest, size }: Descriptor): Promise<Blob> {
    const found = await getManifest(this.#client, {
      repository: this.#repository,
      reference: digest,
      signal: this.#signal,
    });
    if (found === undefined) throw this.#damaged(`it lacks the manifest ${digest}`);
    const { length } = found.blob.bytes;
    if (length !== size) throw this.#damaged(`the manifest ${digest} has ${length} bytes instead of ${size}`);
    return found.blob;
  }

  async config(descriptor: Descriptor): Promise<Blob> {
    const what = `the config ${descriptor.digest} of ${this.name}`;
    return await collectDocument(this.#download(descriptor), { ...descriptor, what });
  }

  /** The same each time, so that a layer that is repeated is laid by once. */
  layer(descriptor: Descriptor): LayerContent {
    const known = this.#layers.get(descriptor.digest) ?? this.#content(descriptor);
    this.#layers.set(descriptor.digest, known);
    return known;
  }

  /** Ends downloads, too. */
  [Symbol.dispose](): void {
    this.#closing.abort(new PhylloError('NETWORK_FAILED', `the image in ${this.name} was closed`));
    this.#spools.dispose();
  }

  #content(descriptor: Descriptor): LayerContent {
    const { digest, size } = descriptor;
    const name = `the layer ${digest} of ${this.name}`;
    let spool: Promise<Spool> | undefined;
    const fill = async (): Promise<Spool> => {
      const chunks = verified(this.#download(descriptor), { digest, size, what: name });
      const filled = await Spool.fill(chunks, { name, limit: size, signal: this.#signal });
      if (!this.#spools.disposed) return this.#spools.use(filled);
      filled[Symbol.dispose]();
      throw this.#signal.reason;
    };
    return {
      origin: this.name,
      repository: { host: this.#client.host, repository: this.#repository },
      chunks: () => this.#download(descriptor),
      slice: async () => (await (spool ??= fill())).slice,
    };
  }

  #download({ digest, size }: Descriptor): AsyncGenerator<Uint8Array, void, undefined> {
    return downloadBlob(this.#client, { repository: this.#repository, digest, size, signal: this.#signal });
  }

  #damaged(problem: string): PhylloError {
    return new PhylloError('ARCHIVE_INVALID', `the image in ${this.name} is not whole: ${problem}`, {
      hint: 'push it again',
    });
  }
}
