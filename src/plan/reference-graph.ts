/**
 * A closure's references as integers: what every strategy walks.
 *
 * A path's *id* is its place among the graph's paths in ascending order, so that ids, and everything that is decided by
 * them, do not depend on the order in which a closure was handed over. References and referrers are kept as compressed
 * rows: two typed arrays for any number of edges. Nothing here recurses: a chain of any length is walked.
 */
import { PhylloError } from '../errors.ts';
import type { PathInfo } from '../store/store.ts';
import type { StorePath } from '../store/store-path.ts';
import { sortTexts } from './text-order.ts';

/** Row `id` is `targets[starts[id]]` to `targets[starts[id + 1] - 1]`, ascending. */
export interface Adjacency {
  readonly starts: Int32Array;
  readonly targets: Int32Array;
}

export interface ReferenceGraph {
  /** By id: ascending by path. */
  readonly infos: readonly PathInfo[];
  readonly idOf: ReadonlyMap<StorePath, number>;
  /** Without self references and duplicates. */
  readonly references: Adjacency;
  readonly referrers: Adjacency;
  /** Every id once, each after all that refer to it. */
  readonly order: Int32Array;
}

/**
 * @throws PhylloError CLOSURE_INCOMPLETE (names who refers to what), CLOSURE_CYCLE (names one cycle),
 * GRAPH_INVALID (a path that is listed twice)
 */
export function indexReferences(infos: readonly PathInfo[]): ReferenceGraph {
  const sorted = sortByPath(infos);
  const idOf = indexPaths(sorted);
  const references = packRows(sorted.map((info, id) => referencedIds(info, { id, idOf })));
  return withOrder({ infos: sorted, idOf, references });
}

/**
 * The graph of some of its paths, with those of the references among them that count (default: all).
 * New ids are places in `ids`, which are ascending, each once.
 */
export function inducedGraph(
  graph: ReferenceGraph,
  ids: readonly number[],
  counts: (source: number, target: number) => boolean = () => true,
): ReferenceGraph {
  const newIds = new Map(ids.map((id, newId) => [id, newId]));
  const infos = ids.map((id) => graph.infos[id]!);
  const rows = ids.map((id) => {
    const targets = Array.from(row(graph.references, id)).filter((target) => newIds.has(target));
    return targets.filter((target) => counts(id, target)).map((target) => newIds.get(target)!);
  });
  return withOrder({ infos, idOf: indexPaths(infos), references: packRows(rows) });
}

/** The same paths without some of them and the references to those. */
export function withoutPaths(infos: readonly PathInfo[], left: ReadonlySet<string>): readonly PathInfo[] {
  if (left.size === 0) return infos;
  const kept = infos.filter(({ path }) => !left.has(path));
  return kept.map((info) => {
    const references = info.references.filter((reference) => !left.has(reference));
    return references.length === info.references.length ? info : Object.assign({}, info, { references });
  });
}

/** The ids next to `id`; a view, not a copy. */
export function row(adjacency: Adjacency, id: number): Int32Array {
  return adjacency.targets.subarray(adjacency.starts[id], adjacency.starts[id + 1]);
}

/**
 * What can be reached from `seeds` along `adjacency`, the seeds included: 1 at each such id.
 * Along `references` these are the seeds' closure, along `referrers` all that need one of them.
 */
export function reachable(adjacency: Adjacency, seeds: Iterable<number>): Uint8Array {
  const { starts, targets } = adjacency;
  const found = new Uint8Array(starts.length - 1);
  const waiting: number[] = [];
  for (const seed of seeds) {
    if (found[seed] === 0) waiting.push(seed);
    found[seed] = 1;
  }
  for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
    for (let at = starts[id]!; at < starts[id + 1]!; at++) {
      const target = targets[at]!;
      if (found[target] === 0) waiting.push(target);
      found[target] = 1;
    }
  }
  return found;
}

function sortByPath(infos: readonly PathInfo[]): readonly PathInfo[] {
  const infoOf = new Map(infos.map((info) => [info.path, info]));
  const sorted = sortTexts(infoOf.keys()).map((path) => infoOf.get(path)!);
  if (sorted.length === infos.length) return sorted;
  const paths = sortTexts(infos.map(({ path }) => path));
  const twice = paths.find((path, at) => path === paths[at + 1])!;
  throw new PhylloError('GRAPH_INVALID', `the closure lists ${twice} twice`);
}

/** By path the place of each, of which none is there twice. */
function indexPaths(infos: readonly PathInfo[]): ReadonlyMap<StorePath, number> {
  return new Map(infos.map(({ path }, id) => [path, id]));
}

function referencedIds(
  { path, references }: PathInfo,
  { id, idOf }: { readonly id: number; readonly idOf: ReadonlyMap<StorePath, number> },
): readonly number[] {
  const ids = references.map((reference) => idOf.get(reference) ?? missingReference(path, reference));
  const others = ids.filter((other) => other !== id);
  // References mostly come sorted, each once.
  const isAscending = others.every((other, at) => at === 0 || others[at - 1]! < other);
  return isAscending ? others : [...new Set(others)].sort((a, b) => a - b);
}

function missingReference(path: StorePath, reference: StorePath): never {
  throw new PhylloError('CLOSURE_INCOMPLETE', `the closure lacks ${reference}, which ${path} refers to`, {
    hint: 'export the whole closure, for example with nix path-info --recursive --json',
  });
}

function packRows(rows: readonly (readonly number[])[]): Adjacency {
  const starts = new Int32Array(rows.length + 1);
  for (const [id, targets] of rows.entries()) starts[id + 1] = starts[id]! + targets.length;
  const targets = new Int32Array(starts[rows.length]!);
  for (const [id, ids] of rows.entries()) targets.set(ids, starts[id]);
  return { starts, targets };
}

function withOrder(parts: Pick<ReferenceGraph, 'infos' | 'idOf' | 'references'>): ReferenceGraph {
  const referrers = reversed(parts.references);
  const order = referrersFirst(parts.references, referrers);
  if (order.length < parts.infos.length) throw cycleError(parts.infos, parts.references, order);
  return { ...parts, referrers, order };
}

function reversed({ starts, targets }: Adjacency): Adjacency {
  const size = starts.length - 1;
  const turnedStarts = new Int32Array(size + 1);
  for (let at = 0; at < targets.length; at++) turnedStarts[targets[at]! + 1]!++;
  for (let id = 0; id < size; id++) turnedStarts[id + 1]! += turnedStarts[id]!;
  const next = turnedStarts.slice();
  const turned = new Int32Array(targets.length);
  for (let id = 0; id < size; id++) {
    for (let at = starts[id]!; at < starts[id + 1]!; at++) turned[next[targets[at]!]!++] = id;
  }
  return { starts: turnedStarts, targets: turned };
}

/** Kahn's order; shorter than the graph where a cycle keeps paths from their turn. */
function referrersFirst(references: Adjacency, referrers: Adjacency): Int32Array {
  const size = references.starts.length - 1;
  const waitsFor = new Int32Array(size);
  const order = new Int32Array(size);
  let found = 0;
  for (let id = 0; id < size; id++) {
    waitsFor[id] = referrers.starts[id + 1]! - referrers.starts[id]!;
    if (waitsFor[id] === 0) order[found++] = id;
  }
  for (let done = 0; done < found; done++) {
    const id = order[done]!;
    for (let at = references.starts[id]!; at < references.starts[id + 1]!; at++) {
      const target = references.targets[at]!;
      if (--waitsFor[target]! === 0) order[found++] = target;
    }
  }
  return order.subarray(0, found);
}

function cycleError(infos: readonly PathInfo[], references: Adjacency, ordered: Int32Array): PhylloError {
  const cycle = findCycle(references, ordered).map((id) => infos[id]!.path);
  return new PhylloError(
    'CLOSURE_CYCLE',
    `store paths refer to each other in a cycle: ${cycle.join(' -> ')}`,
    {
      hint: 'Nix registers no such closure: check where the graph comes from',
    },
  );
}

/** One cycle, its first path repeated at the end. */
function findCycle(references: Adjacency, ordered: Int32Array): readonly number[] {
  const referrers = reversed(references);
  const isOrdered = new Uint8Array(references.starts.length - 1);
  for (const id of ordered) isOrdered[id] = 1;
  const placeOf = new Map<number, number>();
  const walk: number[] = [];
  let id = isOrdered.indexOf(0);
  // Each path that has not had its turn waits for a referrer that has not either: going up must meet itself.
  while (!placeOf.has(id)) {
    placeOf.set(id, walk.length);
    walk.push(id);
    id = row(referrers, id).find((referrer) => isOrdered[referrer] === 0)!;
  }
  return [...walk.slice(placeOf.get(id)), id].reverse();
}
