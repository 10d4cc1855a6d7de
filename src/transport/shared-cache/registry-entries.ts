/** Entries of the shared cache as tags of one repository. */
import { PhylloError } from '../../errors.ts';
import { EMPTY_BLOB } from '../../image/artifact.ts';
import type { Blob, Repository } from '../../image/blob.ts';
import { MEDIA_TYPES } from '../../image/media-types.ts';
import { getManifest, putManifest } from '../registry/manifests.ts';
import { pushBytes } from '../registry/push-bytes.ts';
import type { RegistryClient } from '../registry/registry-client.ts';
import { type CacheEntryName, tagOf } from './cache-entry.ts';
import type { EntryStore } from './shared-cache.ts';

export interface RegistryEntriesOptions {
  /** Of the repository's host. */
  readonly client: RegistryClient;
  readonly repository: Repository['repository'];
  readonly signal?: AbortSignal | undefined;
}

export class RegistryEntries implements EntryStore {
  readonly #options: RegistryEntriesOptions;
  /** What entries have as their content: pushed once, before the first of them. */
  #content: Promise<void> | undefined;

  constructor(options: RegistryEntriesOptions) {
    this.#options = options;
  }

  async read(name: CacheEntryName): Promise<Uint8Array | undefined> {
    const { client, repository, signal } = this.#options;
    const manifest = await getManifest(client, { repository, reference: tagOf(name), signal }).catch(
      // A damaged entry is none.
      (error: unknown) => {
        if (error instanceof PhylloError && error.code === 'ARCHIVE_INVALID') return undefined;
        throw error;
      },
    );
    return manifest?.blob.bytes;
  }

  async write(name: CacheEntryName, manifest: Blob): Promise<void> {
    const { client, repository, signal } = this.#options;
    this.#content ??= this.#pushContent();
    await this.#content;
    const reference = tagOf(name);
    await putManifest(client, {
      repository,
      reference,
      blob: manifest,
      mediaType: MEDIA_TYPES.manifest,
      signal,
    });
  }

  async #pushContent(): Promise<void> {
    const { client, repository, signal } = this.#options;
    await pushBytes(client, { repository, ...EMPTY_BLOB, signal });
  }
}
