/**
 * A repository of a registry as a destination. What it has, or can mount from another repository, is not sent; the manifest and its
 * tag come last, so that nobody sees an image that is not whole.
 *
 * @see OCI distribution-spec v1.1, "Push"
 */
import type { Digest } from '../../digest.ts';
import { PhylloError } from '../../errors.ts';
import type { ImageDocuments, ImageLayer } from '../../image/image.ts';
import { MEDIA_TYPES } from '../../image/media-types.ts';
import type { StoredLayer } from '../../layer/stored-layer.ts';
import type { BlobTarget, CloseOutcome, StreamPlace } from '../blob-target.ts';
import { BlobUpload } from './blob-upload.ts';
import { headBlob, mountBlob } from './blobs.ts';
import { headManifest, putManifest, type SeenManifest } from './manifests.ts';
import { pushBytes } from './push-bytes.ts';
import type { RegistryClient } from './registry-client.ts';
import { RegistryError } from './registry-error.ts';
import { describeRegistryReference, type RegistryReference } from './registry-reference.ts';
import { cancelUpload, type UploadSession } from './upload-session.ts';

export interface RegistryTargetOptions {
  /** Without a tag the manifest is there by its digest alone. */
  readonly reference: RegistryReference;
  /** Of the manifest; OCI's when absent. */
  readonly mediaType?: string | undefined;
  /** Other repositories of the registry that may have some of the blobs. */
  readonly mountFrom: readonly string[];
  /** Told of bytes that are on their way. */
  readonly onSent: (bytes: number) => void;
  /** Stops all requests. */
  readonly signal?: AbortSignal | undefined;
}

/** What became of an image's blobs, its config included. */
export interface PushCounts {
  readonly present: number;
  readonly mounted: number;
  readonly sent: number;
  /** Of blobs and the manifest. */
  readonly bytesSent: number;
}

export class RegistryTarget implements BlobTarget {
  readonly takes = 'chunks';
  readonly anyOrder = true;
  readonly #client: RegistryClient;
  readonly #options: RegistryTargetOptions;
  readonly #abort = new AbortController();
  readonly #signal: AbortSignal;
  readonly #uploads = new Map<number, BlobUpload>();
  /** Begun by mounts that the registry did not do. */
  readonly #sessions = new Map<Digest, UploadSession>();
  readonly #asked = new Map<Digest, Promise<boolean>>();
  readonly #counts = { present: 0, mounted: 0, sent: 0, bytesSent: 0 };
  /** The registry has the manifest, so it has all blobs. */
  #hasImage = false;
  #isTagged = false;

  constructor(client: RegistryClient, options: RegistryTargetOptions) {
    this.#client = client;
    this.#options = options;
    const { signal } = options;
    this.#signal = signal === undefined ? this.#abort.signal : AbortSignal.any([signal, this.#abort.signal]);
  }

  get counts(): PushCounts {
    return { ...this.#counts };
  }

  /** With host and tag. */
  get name(): string {
    return describeRegistryReference(this.#options.reference);
  }

  /** A registry takes a manifest only when it has its blobs, and keeps them as long. */
  async foresee({ manifest, layers }: ImageDocuments): Promise<void> {
    const { tag } = this.#options.reference;
    const [byDigest, byTag] = await Promise.all([
      this.#headManifest(manifest.digest),
      tag === undefined ? undefined : this.#headManifest(tag),
    ]);
    this.#hasImage = byDigest !== undefined;
    this.#isTagged = this.#hasImage && (tag === undefined || byTag?.digest === manifest.digest);
    if (this.#hasImage) this.#counts.present = layers.length + 1;
  }

  async has(blob: StoredLayer, { origin }: Pick<ImageLayer, 'origin'> = {}): Promise<boolean> {
    if (this.#hasImage) return true;
    const known = this.#asked.get(blob.digest);
    if (known !== undefined) return await known;
    const isSameHost = origin !== undefined && origin.host === this.#client.host;
    const asked = this.#findOrMount(blob.digest, isSameHost ? [origin.repository] : []);
    this.#asked.set(blob.digest, asked);
    return await asked;
  }

  async open(index: number, known: StoredLayer | undefined): Promise<StreamPlace> {
    const session = known === undefined ? undefined : this.#sessions.get(known.digest);
    if (known !== undefined) this.#sessions.delete(known.digest);
    const upload = this.#uploads.get(index) ?? this.#startUpload(known, session);
    this.#uploads.set(index, upload);
    return { kind: 'stream', write: (bytes) => upload.write(bytes) };
  }

  async close(index: number, layer: StoredLayer): Promise<CloseOutcome> {
    const end = await (this.#uploads.get(index) as BlobUpload).finish(layer);
    if (end === 'again') return 'again';
    this.#uploads.delete(index);
    this.#counts[end] += 1;
    return 'done';
  }

  async commit({ config, manifest }: ImageDocuments): Promise<void> {
    const { repository, tag } = this.#options.reference;
    const { mediaType = MEDIA_TYPES.manifest } = this.#options;
    const signal = this.#signal;
    if (!this.#hasImage) {
      const isSent = await pushBytes(this.#client, { repository, ...config, signal });
      this.#counts[isSent ? 'sent' : 'present'] += 1;
      if (isSent) this.#count(config.bytes.length);
    }
    if (this.#isTagged) return;
    const reference = tag ?? manifest.digest;
    await putManifest(this.#client, { repository, reference, blob: manifest, mediaType, signal });
    this.#count(manifest.bytes.length);
  }

  async discard(): Promise<void> {
    const uploads = [...this.#uploads.values()];
    const sessions = [...this.#sessions.values()];
    this.#uploads.clear();
    this.#sessions.clear();
    this.#abort.abort(new PhylloError('NETWORK_FAILED', 'the push was given up'));
    const { repository } = this.#options.reference;
    await Promise.all([
      ...uploads.map((upload) => upload.cancel()),
      ...sessions.map((session) => cancelUpload(this.#client, { repository, session })),
    ]);
  }

  #startUpload(known: StoredLayer | undefined, session: UploadSession | undefined): BlobUpload {
    const { repository } = this.#options.reference;
    const onSent = (bytes: number): void => this.#count(bytes);
    return new BlobUpload(this.#client, { repository, known, session, signal: this.#signal, onSent });
  }

  #count(bytes: number): void {
    this.#counts.bytesSent += bytes;
    this.#options.onSent(bytes);
  }

  async #headManifest(reference: string): Promise<SeenManifest | undefined> {
    const { repository } = this.#options.reference;
    const signal = this.#signal;
    return await headManifest(this.#client, { repository, reference, signal, forPush: true });
  }

  async #findOrMount(digest: Digest, origins: readonly string[]): Promise<boolean> {
    const { repository } = this.#options.reference;
    const signal = this.#signal;
    if (await headBlob(this.#client, { repository, digest, signal, forPush: true })) {
      this.#counts.present += 1;
      return true;
    }
    const others = new Set([...origins, ...this.#options.mountFrom].filter((name) => name !== repository));
    for (const from of others) {
      if (!(await this.#mount(digest, from))) continue;
      this.#counts.mounted += 1;
      return true;
    }
    return false;
  }

  /** A registry that does not mount begins an upload, which is as good as any other. */
  async #mount(digest: Digest, from: string): Promise<boolean> {
    const { repository } = this.#options.reference;
    const signal = this.#signal;
    try {
      const earlier = this.#sessions.get(digest);
      const session = await mountBlob(this.#client, { repository, digest, from, signal });
      if (earlier !== undefined) await cancelUpload(this.#client, { repository, session: earlier });
      if (session === undefined) this.#sessions.delete(digest);
      else this.#sessions.set(digest, session);
      return session === undefined;
    } catch (error) {
      // Whoever may not read the other repository sends the blob; whoever may not write this one hears of it then.
      if (error instanceof RegistryError) return false;
      throw error;
    }
  }
}
