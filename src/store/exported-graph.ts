/** A store whose path info is a file that Nix exported: no database is needed, as in a sandboxed build. */
import { readFile, stat } from 'node:fs/promises';
import { join, posix, resolve } from 'node:path';
import { PhylloError, reasonOf } from '../errors.ts';
import { ascending, completeClosure } from './closure.ts';
import { graphInvalid, readGraph, type RawGraph, type RawPathInfo } from './graph-schema.ts';
import { parseNixHash } from './nix-hash.ts';
import { DEFAULT_STORE_DIR, hashPart, parseStorePath, type StorePath } from './store-path.ts';
import type { Closure, PathInfo, Store } from './store.ts';
import type { TreeSource } from './tree.ts';

export interface ExportedGraphOptions {
  /** JSON in one of the forms that `graph-schema.ts` lists. */
  readonly file: string;
  /** The one graph of an `.attrs.json` to take. Default: the union of all. */
  readonly graphName?: string;
  /** The directory in which store paths are looked up. Default `/`. */
  readonly storeRoot?: string;
  /** Default: the directory that the graph's paths share. */
  readonly storeDir?: string;
}

/** Far above a graph of a million paths, and what a string can hold. */
const MAX_FILE_BYTES = 500 * 1024 * 1024;

/** @throws PhylloError FILE_UNREADABLE; GRAPH_INVALID, which names every problem and its place */
export async function openExportedGraph({
  file,
  graphName,
  storeRoot = '/',
  storeDir,
}: ExportedGraphOptions): Promise<Store> {
  const graph = readGraph(await readJson(file), { file, graphName });
  const directory = storeDir ?? graph.storeDir ?? commonStoreDir(graph, file);
  const infos = readInfos(graph, { file, storeDir: directory });
  return new ExportedGraph({ infos, root: resolve(storeRoot), storeDir: directory });
}

class ExportedGraph implements Store {
  readonly storeDir: string;
  readonly #root: string;
  readonly #infos: ReadonlyMap<StorePath, PathInfo>;
  readonly #byHashPart: ReadonlyMap<string, StorePath>;

  constructor({ infos, root, storeDir }: ExportedGraphParts) {
    this.storeDir = storeDir;
    this.#root = root;
    this.#infos = infos;
    this.#byHashPart = new Map(Iterator.from(infos.keys()).map((path) => [hashPart(path), path]));
  }

  async closure(roots: readonly StorePath[]): Promise<Closure> {
    const lookUp = (paths: readonly StorePath[]) => paths.map((path) => this.#infos.get(path));
    return completeClosure(roots, { storeDir: this.storeDir, lookUp });
  }

  async findByHashPart(hashPart: string): Promise<StorePath | undefined> {
    return this.#byHashPart.get(hashPart);
  }

  treeSource(path: StorePath): TreeSource {
    return { kind: 'directory', location: join(this.#root, path) };
  }

  close(): void {
    // Nothing is open.
  }
}

interface ExportedGraphParts {
  readonly infos: ReadonlyMap<StorePath, PathInfo>;
  readonly root: string;
  readonly storeDir: string;
}

async function readJson(file: string): Promise<unknown> {
  const text = await readText(file);
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw graphInvalid(file, [`it is not JSON: ${reasonOf(cause)}`]);
  }
}

async function readText(file: string): Promise<string> {
  try {
    if ((await stat(file)).size <= MAX_FILE_BYTES) return await readFile(file, 'utf8');
  } catch (cause) {
    throw new PhylloError('FILE_UNREADABLE', `cannot read the exported graph ${file}: ${reasonOf(cause)}`, {
      hint: 'give --graph the file that nix path-info --json -r wrote',
      cause,
    });
  }
  throw graphInvalid(file, [`it has more than ${MAX_FILE_BYTES} bytes`]);
}

/** Paths of several directories are no problem of this function: reading them is. */
function commonStoreDir({ infos }: RawGraph, file: string): string {
  const first = infos[0];
  if (first === undefined) return DEFAULT_STORE_DIR;
  if (first.path.startsWith('/')) return posix.dirname(first.path);
  throw graphInvalid(file, [`${first.place}: expected an absolute store path, found ${first.path}`]);
}

interface Where {
  readonly file: string;
  readonly storeDir: string;
}

function readInfos({ infos: rawInfos, storeDir }: RawGraph, where: Where): ReadonlyMap<StorePath, PathInfo> {
  const infos = new Map<StorePath, PathInfo>();
  const problems: string[] = [];
  for (const raw of rawInfos) {
    const info = readInfo(raw, {
      storeDir: where.storeDir,
      prefix: storeDir === undefined ? '' : `${storeDir}/`,
      problems,
    });
    if (info === undefined) continue;
    if (disagree(infos.get(info.path), info))
      problems.push(`${raw.place}: ${raw.path} is there twice, with different info`);
    infos.set(info.path, info);
  }
  if (problems.length > 0) throw graphInvalid(where.file, problems);
  return infos;
}

interface ReadInfoOptions {
  readonly storeDir: string;
  /** What base names lack. */
  readonly prefix: string;
  readonly problems: string[];
}

/** Undefined when there was a problem, which is added to `problems`. */
function readInfo(raw: RawPathInfo, { storeDir, prefix, problems }: ReadInfoOptions): PathInfo | undefined {
  const attempt = <T>(place: string, parse: () => T): T | undefined => {
    try {
      return parse();
    } catch (error) {
      problems.push(`${raw.place}${place}: ${reasonOf(error)}`);
      return undefined;
    }
  };
  const parsePath = (text: string) => parseStorePath(text.startsWith('/') ? text : prefix + text, storeDir);
  const path = attempt('.path', () => parsePath(raw.path));
  const narHash = attempt('.narHash', () => parseNixHash(raw.narHash));
  const references = raw.references.map((text, index) =>
    attempt(`.references[${index}]`, () => parsePath(text)),
  );
  const known = references.filter((reference) => reference !== undefined);
  if (path === undefined || narHash === undefined || known.length < references.length) return undefined;
  const { narSize, ca } = raw;
  return { path, narHash, narSize, references: ascending(known), ...(ca === undefined ? {} : { ca }) };
}

/** A path may be in several graphs of one file. */
function disagree(known: PathInfo | undefined, info: PathInfo): boolean {
  if (known === undefined) return false;
  const same = known.narHash === info.narHash && known.narSize === info.narSize;
  return !same || known.references.join() !== info.references.join();
}
