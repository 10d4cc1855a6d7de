/**
 * What a store is to the rest of the program: path info of a closure, and where each store path's files can be read.
 * Implementations: `nix-database.ts`, `exported-graph.ts`, `binary-cache.ts`.
 */
import type { Digest } from '../digest.ts';
import type { StorePath } from './store-path.ts';
import type { TreeSource } from './tree.ts';

export interface PathInfo {
  readonly path: StorePath;
  /** sha256 of the store path's NAR. */
  readonly narHash: Digest;
  /** Bytes of the NAR; up to 2^53. */
  readonly narSize: number;
  /** As registered: a self reference included, ascending, no duplicates. */
  readonly references: readonly StorePath[];
  /** Content address, when the path is content-addressed: `fixed:r:sha256:…`, `text:sha256:…`. */
  readonly ca?: string;
}

/** A set of store paths that is closed under references and free of cycles other than self references. */
export interface Closure {
  /** `/nix/store` unless the store has another directory. */
  readonly storeDir: string;
  /** The paths that were asked for, ascending, no duplicates. */
  readonly roots: readonly StorePath[];
  /** Ascending by path, each once. */
  readonly paths: readonly PathInfo[];
}

export interface Store {
  /** The logical store directory: how store paths are called, wherever their files are. */
  readonly storeDir: string;

  /**
   * The closure of `roots`. Nothing is started and nothing written.
   * @throws PhylloError STORE_PATH_UNKNOWN (a root), CLOSURE_INCOMPLETE (names the missing path and who refers to it), CLOSURE_CYCLE
   */
  closure(roots: readonly StorePath[]): Promise<Closure>;

  /** The store path with this hash part, or undefined. */
  findByHashPart(hashPart: string): Promise<StorePath | undefined>;

  /** Where the files of a path that `closure` returned are read: plain data, so that a worker thread can take it. */
  treeSource(path: StorePath): TreeSource;

  /** Closes what is open; the store is of no use afterwards. Idempotent. */
  close(): void;
}
