/** Lists store paths' trees in worker threads: each once, and only those that somebody asks for. */
import type { ScannedPath, UnreadNar } from './layer/layer-source.ts';
import { type PathPermissions, permissionsFor } from './image/path-permissions.ts';
import type { LayerWorkers } from './layer/layer-workers.ts';
import type { TarOwnership } from './layer/tar-member.ts';
import type { NarKeeper } from './store/nar-keeper.ts';
import type { PathInfo, Store } from './store/store.ts';
import type { StorePath } from './store/store-path.ts';
import type { TreeSource } from './store/tree.ts';

export interface ListingOptions {
  readonly store: Store;
  readonly workers: LayerWorkers;
  /** Where NARs that are fetched are laid by when they are read again; undefined: they are not. */
  readonly keeper?: NarKeeper;
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

  /**
   * What a layer of the path is made of. A NAR that nobody has listed is not read for it.
   * @param options `again`: its bytes are needed more than once
   * @throws as get
   */
  async find(
    { path, narSize }: PathInfo,
    { again }: { readonly again: boolean },
  ): Promise<ScannedPath | UnreadNar> {
    const listed = this.#listed.get(path);
    const source = this.#source(path, again);
    if (listed !== undefined || source.kind === 'directory') return await (listed ?? this.get(path));
    const permissions = permissionsFor([path], this.#options.permissions);
    return { storePath: latin1(path), source, permissions, memberBytes: narSize };
  }

  async #list(path: StorePath): Promise<ScannedPath> {
    const { workers, ownership } = this.#options;
    const permissions = permissionsFor([path], this.#options.permissions);
    const request = { storePath: latin1(path), source: this.#source(path, true), ownership, permissions };
    return { ...request, ...(await workers.run({ kind: 'scan', request })) };
  }

  #source(path: StorePath, again: boolean): TreeSource {
    const source = this.#options.store.treeSource(path);
    const { keeper } = this.#options;
    if (source.kind === 'directory' || source.remote === undefined) return source;
    if (keeper === undefined || !again) return source;
    return { ...source, remote: { ...source.remote, keep: keeper.keepFor(path) } };
  }
}

/** Names in a tar are bytes. */
export function latin1(text: string): string {
  return Buffer.from(text).toString('latin1');
}
