/**
 * Why an update sends what it sends: which store paths changed by themselves, and which only because something below them did. Pure.
 *
 * Definitions
 *   by itself     a new path whose name and version the old image lacks, or all of whose references are old
 *   rebuilt       any other new path: something that it refers to is new, too
 *   cause         paths of one source that changed by themselves: `openssl 3.0.13 -> 3.0.14`
 *
 * Without references, a new path whose name and version are old counts as rebuilt, and nothing says because of what.
 */
import { describePath } from './describe-plan.ts';
import { compareText } from './text-order.ts';

export interface UpdateCauses {
  /** Whether references or names alone told. */
  readonly toldBy: 'references' | 'names';
  /** Those that send most paths first. */
  readonly causes: readonly Cause[];
  /** New paths that changed by themselves. */
  readonly byThemselves: readonly string[];
  /** New paths that changed only because something below them did. */
  readonly rebuilt: readonly string[];
  readonly gone: readonly string[];
}

export interface Cause {
  /** `openssl` */
  readonly name: string;
  /** Versions of the paths in the old image; empty: it had none of this name. */
  readonly from: readonly string[];
  readonly to: readonly string[];
  /** How many paths are new because of it, its own included; undefined where no references tell. */
  readonly resent: number | undefined;
  /** How many of the new image's layers these are in; undefined as `resent`. */
  readonly layers: number | undefined;
}

export interface CausesOptions {
  /** Of the new image's paths, as far as they are known; undefined: not at all. */
  readonly references: ReadonlyMap<string, readonly string[]> | undefined;
}

export interface PathsOfUpdate {
  readonly oldPaths: ReadonlySet<string>;
  /** Of each layer of the new image. */
  readonly newLayers: readonly (readonly string[])[];
}

export function findCauses(
  { oldPaths, newLayers }: PathsOfUpdate,
  { references }: CausesOptions,
): UpdateCauses {
  const newPaths = new Set(newLayers.flat());
  const added = [...newPaths].filter((path) => !oldPaths.has(path));
  const gone = [...oldPaths].filter((path) => !newPaths.has(path));
  const oldNames = new Set(Array.from(oldPaths, describePath));
  const isRebuilt = (path: string): boolean =>
    oldNames.has(describePath(path)) &&
    (references === undefined || refersToNew(references.get(path) ?? [], { path, newPaths, oldPaths }));
  const byThemselves = added.filter((path) => !isRebuilt(path)).sort(compareText);
  const versionsGone = versionsByName(gone);
  const users = references === undefined ? undefined : usersAmong(added, references);
  const layersOf = layersByPath(newLayers);
  const causes = [...Map.groupBy(byThemselves, (path) => splitName(path).name)].map(([name, paths]) => ({
    name,
    from: versionsGone.get(name) ?? [],
    to: versionsByName(paths).get(name) ?? [],
    ...(users === undefined
      ? { resent: undefined, layers: undefined }
      : countResent(paths, { users, layersOf })),
  }));
  return {
    toldBy: references === undefined ? 'names' : 'references',
    causes: causes.sort((a, b) => (b.resent ?? 0) - (a.resent ?? 0) || compareText(a.name, b.name)),
    byThemselves,
    rebuilt: added.filter(isRebuilt).sort(compareText),
    gone: gone.sort(compareText),
  };
}

/** `openssl 3.0.13 -> 3.0.14`, `hello 2.12 built anew`, `zlib 1.3 is new`. */
export function describeCause({ name, from, to }: Cause): string {
  const [before, after] = [from, to].map((versions) => versions.filter((one) => one !== '').join(', '));
  if (from.length === 0) return `${name}${after === '' ? '' : ` ${after}`} is new`;
  if (before === after) return `${name}${after === '' ? '' : ` ${after}`} built anew`;
  return `${name} ${before} -> ${after}`;
}

/** Name and version as people know them; an output's name belongs to neither. */
export function splitName(path: string): { readonly name: string; readonly version: string } {
  const text = describePath(path);
  const start = text.search(/-\d/);
  if (start === -1) return { name: text, version: '' };
  return { name: text.slice(0, start), version: text.slice(start + 1).replace(/-[a-z]+$/, '') };
}

function refersToNew(
  references: readonly string[],
  {
    path,
    newPaths,
    oldPaths,
  }: {
    readonly path: string;
    readonly newPaths: ReadonlySet<string>;
    readonly oldPaths: ReadonlySet<string>;
  },
): boolean {
  return references.some((other) => other !== path && newPaths.has(other) && !oldPaths.has(other));
}

/** Ascending, each once. */
function versionsByName(paths: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const versions = new Map<string, string[]>();
  for (const path of [...paths].sort(compareText)) {
    const { name, version } = splitName(path);
    const known = versions.get(name);
    if (known === undefined) versions.set(name, [version]);
    else if (!known.includes(version)) known.push(version);
  }
  for (const some of versions.values()) some.sort(compareText);
  return versions;
}

/** New paths from which one of `paths` is reached, and their layers: how many. */
function countResent(
  paths: readonly string[],
  {
    users,
    layersOf,
  }: {
    readonly users: ReadonlyMap<string, readonly string[]>;
    readonly layersOf: ReadonlyMap<string, readonly number[]>;
  },
): { readonly resent: number; readonly layers: number } {
  const found = new Set(paths);
  const layers = new Set<number>();
  // A set hands out what is added while it is gone through.
  for (const path of found) {
    for (const user of users.get(path) ?? []) found.add(user);
    for (const layer of layersOf.get(path) ?? []) layers.add(layer);
  }
  return { resent: found.size, layers: layers.size };
}

/** Who refers to a new path, among the new ones. */
function usersAmong(
  added: readonly string[],
  references: ReadonlyMap<string, readonly string[]>,
): ReadonlyMap<string, readonly string[]> {
  const users = new Map<string, string[]>(added.map((path) => [path, []]));
  for (const path of added) for (const other of references.get(path) ?? []) users.get(other)?.push(path);
  return users;
}

/** The places of the layers that hold a path, mostly one. */
function layersByPath(layers: readonly (readonly string[])[]): ReadonlyMap<string, readonly number[]> {
  const places = new Map<string, number[]>();
  for (const [place, paths] of layers.entries()) {
    for (const path of paths) places.set(path, [...(places.get(path) ?? []), place]);
  }
  return places;
}
