/**
 * The local Nix store: path info from its database, files from its directory. Nix itself is not started.
 *
 * @see nix/src/libstore/schema.sql: ValidPaths(id, path, hash, narSize, ca, …), Refs(referrer, reference)
 */
import { statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { PhylloError, reasonOf } from '../errors.ts';
import { ascending, completeClosure } from './closure.ts';
import { DatabaseReader, type Query } from './database-reader.ts';
import { parseNixHash } from './nix-hash.ts';
import { DEFAULT_STORE_DIR, isHashPart, parseStorePath, type StorePath } from './store-path.ts';
import type { Closure, PathInfo, Store } from './store.ts';
import type { TreeSource } from './tree.ts';

export interface NixDatabaseOptions {
  /** The directory that has `nix/var/nix/db/db.sqlite`, and in which store paths are looked up. Default `/`. */
  readonly root?: string;
  /** Default `/nix/store`. */
  readonly storeDir?: string;
}

interface PathRow {
  readonly id: number;
  readonly path: string;
  readonly hash: string;
  readonly narSize: number | null;
  readonly ca: string | null;
}

interface ReferenceRow {
  readonly referrer: number;
  readonly reference: number;
}

const DATABASE = 'nix/var/nix/db/db.sqlite';

const REPAIR_HINT = 'repair it with nix-store --verify, or name another store with --store DIR';

const REACHED = `
  WITH RECURSIVE reached(id) AS (
    SELECT id FROM ValidPaths WHERE path IN (SELECT value FROM json_each(?))
    UNION
    SELECT reference FROM reached JOIN Refs ON referrer = reached.id)`;
const PATHS = `${REACHED}
  SELECT id, path, hash, narSize, ca FROM reached JOIN ValidPaths USING (id)`;
const REFERENCES = `${REACHED}
  SELECT referrer, reference FROM reached JOIN Refs ON referrer = reached.id`;
/** Every path that begins with a text lies between it and the same text with the next character, `.` after `-`. */
const BY_HASH_PART = `
  SELECT path FROM ValidPaths WHERE path >= ? || '-' AND path < ? || '.' LIMIT 1`;

/** @throws PhylloError DATABASE_UNREADABLE when there is no database at `root` */
export function openNixDatabase({
  root = '/',
  storeDir = DEFAULT_STORE_DIR,
}: NixDatabaseOptions = {}): Store {
  const file = join(resolve(root), DATABASE);
  requireFile(file);
  return new NixDatabase({ file, root: resolve(root), storeDir });
}

class NixDatabase implements Store {
  readonly storeDir: string;
  readonly #file: string;
  readonly #root: string;
  readonly #reader: DatabaseReader;

  constructor({
    file,
    root,
    storeDir,
  }: {
    readonly file: string;
    readonly root: string;
    readonly storeDir: string;
  }) {
    this.storeDir = storeDir;
    this.#file = file;
    this.#root = root;
    this.#reader = new DatabaseReader(file);
  }

  async closure(roots: readonly StorePath[]): Promise<Closure> {
    const infos = this.#read((database) => readClosure(database, { roots, storeDir: this.storeDir }));
    const lookUp = (paths: readonly StorePath[]) => paths.map((path) => infos.get(path));
    return completeClosure(roots, { storeDir: this.storeDir, lookUp });
  }

  async findByHashPart(hashPart: string): Promise<StorePath | undefined> {
    if (!isHashPart(hashPart)) return undefined;
    const start = `${this.storeDir}/${hashPart}`;
    const row = this.#read((database) => database.prepare(BY_HASH_PART).get(start, start));
    return row === undefined ? undefined : parseStorePath(String(row['path']), this.storeDir);
  }

  treeSource(path: StorePath): TreeSource {
    return { kind: 'directory', location: join(this.#root, path) };
  }

  close(): void {
    this.#reader.close();
  }

  #read<T>(query: Query<T>): T {
    try {
      return this.#reader.read(query);
    } catch (cause) {
      if (cause instanceof PhylloError) throw cause;
      throw unreadable(this.#file, reasonOf(cause), cause);
    }
  }
}

function requireFile(file: string): void {
  try {
    if (statSync(file).isFile()) return;
  } catch (cause) {
    throw unreadable(file, reasonOf(cause), cause);
  }
  throw unreadable(file, 'it is not a file');
}

/** Two queries rather than one for each path: a closure of hundreds of paths is read in milliseconds. */
function readClosure(
  database: DatabaseSync,
  { roots, storeDir }: { readonly roots: readonly StorePath[]; readonly storeDir: string },
): ReadonlyMap<StorePath, PathInfo> {
  const argument = JSON.stringify(roots);
  const rows = database.prepare(PATHS).all(argument) as unknown as readonly PathRow[];
  const references = database.prepare(REFERENCES).all(argument) as unknown as readonly ReferenceRow[];
  const byReferrer = Map.groupBy(references, ({ referrer }) => referrer);
  const paths = new Map(rows.map((row) => [row.id, parseRow(row, () => parseStorePath(row.path, storeDir))]));
  const infos = rows.map((row) => readPathInfo(row, byReferrer.get(row.id) ?? [], paths));
  return new Map(infos.map((info) => [info.path, info]));
}

function readPathInfo(
  row: PathRow,
  references: readonly ReferenceRow[],
  paths: ReadonlyMap<number, StorePath>,
): PathInfo {
  return {
    path: row.path as StorePath,
    narHash: parseRow(row, () => parseNixHash(row.hash)),
    narSize: readNarSize(row),
    references: ascending(references.map(({ reference }) => paths.get(reference) ?? lost(row))),
    ...(row.ca === null || row.ca === '' ? {} : { ca: row.ca }),
  };
}

/** No NAR is empty: Nix wrote 0 or null before it knew sizes. */
function readNarSize({ path, narSize }: PathRow): number {
  if (narSize !== null && narSize > 0) return narSize;
  throw new PhylloError('DATABASE_UNREADABLE', `the Nix database has no NAR size of ${path}`, {
    hint: 'an old Nix registered it: let nix-store --verify --check-contents fill it in',
  });
}

function parseRow<T>({ path }: PathRow, parse: () => T): T {
  try {
    return parse();
  } catch (cause) {
    throw new PhylloError(
      'DATABASE_UNREADABLE',
      `the Nix database's entry of ${path} is wrong: ${reasonOf(cause)}`,
      {
        hint: REPAIR_HINT,
        cause,
      },
    );
  }
}

function lost({ path }: PathRow): never {
  throw new PhylloError('DATABASE_UNREADABLE', `the Nix database lost a path that ${path} refers to`, {
    hint: REPAIR_HINT,
  });
}

function unreadable(file: string, reason: string, cause?: unknown): PhylloError {
  return new PhylloError('DATABASE_UNREADABLE', `cannot read the Nix database ${file}: ${reason}`, {
    hint: 'name another root with --store DIR, a binary cache with --store file://DIR, or an exported graph with --graph FILE',
    cause,
  });
}
