/**
 * A digest cache that machines share: this machine's own in front, and entries in a registry behind it.
 *
 * What this machine made itself wins over what others say. An entry of others is a claim like any other: bytes that are made are compared
 * with it. No build fails because the registry does not answer.
 */
import pLimit from 'p-limit';
import { PhylloError } from '../../errors.ts';
import type { Blob } from '../../image/blob.ts';
import type { CachedLayer, DigestCache } from '../../layer/digest-cache.ts';
import { type Compression, encoderFor } from '../../layer/encoder.ts';
import type { LayerKey } from '../../layer/layer-key.ts';
import type { PublicKey, SecretKey } from '../../store/signing-key.ts';
import { type CacheEntryName, decodeEntry, encodeEntry } from './cache-entry.ts';

/** Where entries are kept. */
export interface EntryStore {
  /** The manifest; undefined when there is none. */
  read(name: CacheEntryName): Promise<Uint8Array | undefined>;
  write(name: CacheEntryName, manifest: Blob): Promise<void>;
}

export interface SharedCacheOptions {
  readonly entries: EntryStore;
  /** Whose entries count; undefined: everybody's who may write there. */
  readonly trusted?: readonly PublicKey[] | undefined;
  /** Undefined: entries are not signed. */
  readonly signer?: SecretKey | undefined;
  /** Whether entries are written, too. */
  readonly writes: boolean;
}

export interface SharedCacheUse {
  /** Entries that others wrote and this machine did not know. */
  readonly learnt: number;
  /** Entries that were written. */
  readonly published: number;
  /** One sentence each. */
  readonly warnings: readonly string[];
}

const CONCURRENT_REQUESTS = 16;

export class SharedCache implements DigestCache {
  readonly #local: DigestCache;
  readonly #options: SharedCacheOptions;
  readonly #learnt = new Map<LayerKey, CachedLayer>();
  readonly #absent: CacheEntryName[] = [];
  readonly #warnings: string[] = [];
  #published = 0;
  /** After a failure nothing more is asked. */
  #failed = false;

  /** Closes `local` when it is closed. */
  constructor(local: DigestCache, options: SharedCacheOptions) {
    this.#local = local;
    this.#options = options;
  }

  get use(): SharedCacheUse {
    return { learnt: this.#learnt.size, published: this.#published, warnings: this.#warnings };
  }

  /** Looks up what others know of the layers, by each way of compressing them. Never fails. */
  async learn(keys: readonly LayerKey[], compressions: readonly Compression[]): Promise<void> {
    const encoders = new Set(compressions.map(encoderOf));
    const names = [...new Set(keys)].flatMap((key) => [...encoders].map((encoder) => ({ key, encoder })));
    await this.#forEach(names, async (name) => {
      const bytes = await this.#options.entries.read(name);
      const layer = bytes === undefined ? undefined : decodeEntry(bytes, name, this.#options.trusted);
      if (layer === undefined) this.#absent.push(name);
      else this.#take(name, layer);
    });
  }

  find(key: LayerKey): CachedLayer | undefined {
    const [own, learnt] = [this.#local.find(key), this.#learnt.get(key)];
    if (own === undefined || learnt === undefined) return own ?? learnt;
    return own.diffID === learnt.diffID ? { ...own, blobs: { ...learnt.blobs, ...own.blobs } } : own;
  }

  add(key: LayerKey, layer: CachedLayer): void {
    this.#local.add(key, layer);
  }

  /** Writes what this machine knows and others do not, of the layers that were looked up. Never fails. */
  async publish(): Promise<void> {
    if (!this.#options.writes) return;
    await this.#forEach(this.#absent, async (name) => {
      const layer = this.#local.find(name.key);
      if (layer === undefined || (name.encoder !== undefined && !(name.encoder in layer.blobs))) return;
      await this.#options.entries.write(name, encodeEntry(name, layer, this.#options.signer));
      this.#published += 1;
    });
  }

  close(): void {
    this.#local.close();
  }

  #take({ key }: CacheEntryName, layer: CachedLayer): void {
    const own = this.#local.find(key);
    if (own !== undefined && own.diffID !== layer.diffID) {
      this.#warnings.push(
        `the shared cache has ${layer.diffID} for a layer that is ${own.diffID} here: two machines built its store paths differently, or one of them is not to be trusted`,
      );
      return;
    }
    const known = this.#learnt.get(key);
    if (known !== undefined && known.diffID !== layer.diffID) return;
    this.#learnt.set(key, { ...layer, blobs: { ...known?.blobs, ...layer.blobs } });
  }

  async #forEach(
    names: readonly CacheEntryName[],
    act: (name: CacheEntryName) => Promise<void>,
  ): Promise<void> {
    const limit = pLimit(CONCURRENT_REQUESTS);
    const attempt = async (name: CacheEntryName): Promise<void> => {
      if (this.#failed) return;
      try {
        await act(name);
      } catch (error) {
        this.#giveUp(error);
      }
    };
    await Promise.all(names.map((name) => limit(attempt, name)));
  }

  #giveUp(error: unknown): void {
    if (!(error instanceof PhylloError)) throw error;
    if (!this.#failed) this.#warnings.push(`the shared cache is not used: ${error.message}`);
    this.#failed = true;
  }
}

function encoderOf(compression: Compression): string | undefined {
  return compression.kind === 'none' ? undefined : encoderFor(compression).id;
}
