/** Lists store paths' trees in worker threads: each once, and only those that somebody asks for. */
import type { ScannedPath } from './layer/layer-source.ts';
import { type PathPermissions, permissionsFor } from './image/path-permissions.ts';
import type { LayerWorkers } from './layer/layer-workers.ts';
import type { TarOwnership } from './layer/tar-member.ts';
import type { Store } from './store/store.ts';
import type { StorePath } from './store/store-path.ts';

export interface ListingOptions {
  readonly store: Store;
  readonly workers: LayerWorkers;
  /** The sizes of tar members depend on it. */
  readonly ownership: TarOwnership;
  /** As `ownership`. */
  readonly permissions: readonly PathPermissions[];
}

export class ListedPaths {
  readonly #options: ListingOptions;
  readonly #listed = new Map<StorePath, Promise<ScannedPath>>();

  constructor(options: ListingOptions) {
    this.#options = options;
  }

  /**
   * Starts at once; jobs are done in the order in which paths are first asked for.
   * @throws PhylloError FILE_UNREADABLE, FILE_TYPE_UNSUPPORTED, NAR_INVALID, NAR_MISMATCH
   */
  get(path: StorePath): Promise<ScannedPath> {
    let listed = this.#listed.get(path);
    if (listed === undefined) {
      listed = this.#list(path);
      this.#listed.set(path, listed);
    }
    return listed;
  }

  async #list(path: StorePath): Promise<ScannedPath> {
    const { store, workers, ownership } = this.#options;
    const permissions = permissionsFor([path], this.#options.permissions);
    const request = { storePath: latin1(path), source: store.treeSource(path), ownership, permissions };
    return { ...request, ...(await workers.run({ kind: 'scan', request })) };
  }
}

/** Names in a tar are bytes. */
export function latin1(text: string): string {
  return Buffer.from(text).toString('latin1');
}
