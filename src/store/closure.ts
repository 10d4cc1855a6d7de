/**
 * Completes a closure from its roots, wherever the path infos come from.
 *
 * Steps: look up the roots, then all paths they refer to that are new, and so on, a generation at a time, so that a store
 * that answers slowly is asked for many paths at once; then take away, again and again, the paths that nothing left refers
 * to: what cannot be taken away holds a cycle. Linear in paths and references; no recursion, so that a chain may have any
 * length. The result depends on the answers alone, not on the order of roots or references.
 */
import { PhylloError } from '../errors.ts';
import { listed } from './listed.ts';
import type { StorePath } from './store-path.ts';
import type { Closure, PathInfo } from './store.ts';

/** Answers for `paths`, in their order. It is asked for each path once. */
export type LookUp = (
  paths: readonly StorePath[],
) => Promise<readonly (PathInfo | undefined)[]> | readonly (PathInfo | undefined)[];

export interface CompleteClosureOptions {
  readonly storeDir: string;
  readonly lookUp: LookUp;
}

/** A longer cycle is cut off in its message. */
const MAX_CYCLE_NAMED = 20;

/** @throws PhylloError STORE_PATH_UNKNOWN, CLOSURE_INCOMPLETE, CLOSURE_CYCLE; and whatever `lookUp` throws */
export async function completeClosure(
  roots: readonly StorePath[],
  { storeDir, lookUp }: CompleteClosureOptions,
): Promise<Closure> {
  const sortedRoots = ascending(roots);
  const infos = await collect(sortedRoots, lookUp);
  const paths = [...infos.values()].sort((left, right) => (left.path < right.path ? -1 : 1));
  rejectCycle(paths, infos);
  return { storeDir, roots: sortedRoots, paths };
}

/** In plain code-unit order, each once. */
export function ascending(paths: Iterable<StorePath>): StorePath[] {
  return [...new Set(paths)].sort();
}

async function collect(roots: readonly StorePath[], lookUp: LookUp): Promise<Map<StorePath, PathInfo>> {
  const infos = new Map<StorePath, PathInfo>();
  const referrers = new Map<StorePath, StorePath>();
  const missing: StorePath[] = [];
  for (let generation = roots; generation.length > 0;) {
    const answers = await lookUp(generation);
    const found = answers.filter((info) => info !== undefined);
    for (const [index, path] of generation.entries()) if (answers[index] === undefined) missing.push(path);
    if (generation === roots) rejectUnknown(missing);
    for (const info of found) infos.set(info.path, info);
    generation = nextGeneration(found, infos, referrers);
  }
  rejectIncomplete(missing, referrers);
  return infos;
}

/** The paths that `found` refer to for the first time; notes one referrer of each. */
function nextGeneration(
  found: readonly PathInfo[],
  infos: ReadonlyMap<StorePath, PathInfo>,
  referrers: Map<StorePath, StorePath>,
): StorePath[] {
  const next: StorePath[] = [];
  for (const { path, references } of found) {
    for (const reference of references) {
      if (infos.has(reference) || referrers.has(reference)) continue;
      referrers.set(reference, path);
      next.push(reference);
    }
  }
  return next;
}

function rejectUnknown(roots: readonly StorePath[]): void {
  if (roots.length === 0) return;
  throw new PhylloError('STORE_PATH_UNKNOWN', `not in the store: ${listed(roots)}`, {
    hint: 'build or fetch it first, or look for it in another store with --store',
  });
}

function rejectIncomplete(missing: readonly StorePath[], referrers: ReadonlyMap<StorePath, StorePath>): void {
  if (missing.length === 0) return;
  const all = missing.map((path) => `${path} (referred to by ${referrers.get(path)})`);
  throw new PhylloError('CLOSURE_INCOMPLETE', `the closure is incomplete; not in the store: ${listed(all)}`, {
    hint: 'copy or export the whole closure, for example with nix copy, or nix path-info --json -r',
  });
}

function rejectCycle(paths: readonly PathInfo[], infos: ReadonlyMap<StorePath, PathInfo>): void {
  const left = withoutAcyclic(paths, infos);
  const start = paths.find(({ path }) => left.has(path));
  if (start === undefined) return;
  const cycle = listed(walkCycle(start, left, infos), { most: MAX_CYCLE_NAMED, separator: ' -> ' });
  throw new PhylloError('CLOSURE_CYCLE', `store paths refer to each other in a circle: ${cycle}`, {
    hint: 'Nix makes no such paths: export the path info again',
  });
}

/** The paths that can reach a cycle: what is left when paths without references are taken away until none is. */
function withoutAcyclic(
  paths: readonly PathInfo[],
  infos: ReadonlyMap<StorePath, PathInfo>,
): ReadonlySet<StorePath> {
  const referrers = referrersOf(paths);
  const unmet = new Map(paths.map((info) => [info.path, othersOf(info).length]));
  const left = new Set(infos.keys());
  const ready = paths.filter(({ path }) => unmet.get(path) === 0).map(({ path }) => path);
  for (let path = ready.pop(); path !== undefined; path = ready.pop()) {
    left.delete(path);
    for (const referrer of referrers.get(path) ?? []) {
      const rest = (unmet.get(referrer) ?? 0) - 1;
      unmet.set(referrer, rest);
      if (rest === 0) ready.push(referrer);
    }
  }
  return left;
}

function referrersOf(paths: readonly PathInfo[]): ReadonlyMap<StorePath, readonly StorePath[]> {
  const referrers = new Map<StorePath, StorePath[]>();
  for (const info of paths) {
    for (const reference of othersOf(info)) {
      const known = referrers.get(reference);
      if (known === undefined) referrers.set(reference, [info.path]);
      else known.push(info.path);
    }
  }
  return referrers;
}

/** References other than to itself. */
function othersOf({ path, references }: PathInfo): readonly StorePath[] {
  return references.filter((reference) => reference !== path);
}

/** Every path of `left` refers to another of `left`, so that a walk comes back to where it has been. First and last are the same. */
function walkCycle(
  start: PathInfo,
  left: ReadonlySet<StorePath>,
  infos: ReadonlyMap<StorePath, PathInfo>,
): readonly StorePath[] {
  const steps = new Map<StorePath, number>();
  let info: PathInfo | undefined = start;
  while (info !== undefined && !steps.has(info.path)) {
    steps.set(info.path, steps.size);
    const next: StorePath | undefined = othersOf(info).find((reference) => left.has(reference));
    info = next === undefined ? undefined : infos.get(next);
  }
  const again = info?.path ?? start.path;
  return [...[...steps.keys()].slice(steps.get(again)), again];
}
