/**
 * The strategy `auto`: large paths are kept apart, and what the same large paths need lies together.
 *
 * Definitions
 *   closure(P)  P and all that it needs
 *   chosen      the k largest paths (narSize; of equal sizes the greater path), for the greatest k that the limit allows
 *   class(v)    the chosen paths whose closure has v; paths of the same class share a layer
 *   users       of a class: those of its chosen paths that need no other of them
 *
 * Steps
 *   1. Begin with one class. For each path, largest first, split every class into what is in its closure and what is not.
 *   2. Stop before the split that would make more classes than the limit.
 *   3. Paths in a layer go by (name, hash); layers by the size of their paths' closure ascending, then by first path.
 *
 * The definition of nixpkgs keeps for each path the set of *users* and updates it with every chosen path. A set of users
 * and a class determine each other, so partition refinement gives the same layers. Two chosen paths never share a class,
 * so there are at most as many splits as layers.
 *
 * Cost: a walk down the graph for each chosen path and each layer: O(limit * (n + m)), O(n + m) memory.
 *
 * Deterministic: sizes and paths are a total order; nothing depends on the order of the input.
 *
 * Prior art: the size-first default of nixpkgs' dockerTools (November 2024); partition refinement (Paige, Tarjan 1987).
 */
import type { StorePath } from '../store/store-path.ts';
import { layerOf } from './layer-of.ts';
import type { LayerPlan } from './layer-plan.ts';
import { byName } from './name-order.ts';
import { reachable, type ReferenceGraph, row } from './reference-graph.ts';

export interface AutoOptions {
  /** Of layers; ignored paths count. One layer is made even where it is 0. */
  readonly limit: number;
  /** Paths that take part in the division and are then dropped; unknown ones change nothing. */
  readonly ignore?: readonly StorePath[];
  /** Every id once, first choice first; default: `largestFirst`. */
  readonly choices?: readonly number[];
}

interface Class {
  readonly ids: readonly number[];
  /** Sum of narSize over the closure of `ids`. */
  readonly closureSize: number;
}

/** At most `limit` layers, or 1. */
export function planAuto(graph: ReferenceGraph, options: AutoOptions): readonly LayerPlan[] {
  const choices = options.choices ?? largestFirst(graph);
  const { classOf, chosen } = refine(graph, choices, options.limit);
  const ignored = new Set<string>(options.ignore);
  return classesOf(graph, classOf)
    .sort((a, b) => a.closureSize - b.closureSize || a.ids[0]! - b.ids[0]!)
    .flatMap((one) => planClass(graph, one, { chosen, ignored }));
}

/** Every id once. */
export function largestFirst(graph: ReferenceGraph): readonly number[] {
  return Array.from(graph.infos.keys()).sort(byLargest(graph));
}

function byLargest({ infos }: ReferenceGraph): (a: number, b: number) => number {
  // Ids ascend by path, so that of equal sizes the greater path comes first.
  return (a, b) => infos[b]!.narSize - infos[a]!.narSize || b - a;
}

/** Steps 1 and 2. `chosen` has 1 at the id of each chosen path. */
function refine(
  graph: ReferenceGraph,
  choices: readonly number[],
  limit: number,
): { readonly classOf: Int32Array; readonly chosen: Uint8Array } {
  const chosen = new Uint8Array(choices.length);
  // With room for all, every path is chosen in the end and has a class of its own.
  if (limit >= choices.length) return { classOf: Int32Array.from(choices.keys()), chosen: chosen.fill(1) };
  const classOf = new Int32Array(choices.length);
  const sizes = [choices.length];
  for (const choice of choices) {
    const inside = reachable(graph.references, [choice]);
    const splits = findSplits(classOf, sizes, inside);
    if (sizes.length + splits.size > limit) break;
    applySplits(classOf, sizes, { inside, splits });
    chosen[choice] = 1;
  }
  return { classOf, chosen };
}

/** The classes that are partly inside, each with the number of its paths that are. */
function findSplits(
  classOf: Int32Array,
  sizes: readonly number[],
  inside: Uint8Array,
): ReadonlyMap<number, number> {
  const counts = new Int32Array(sizes.length);
  for (let id = 0; id < classOf.length; id++) counts[classOf[id]!]! += inside[id]!;
  const splits = new Map<number, number>();
  for (const [index, size] of sizes.entries()) {
    if (counts[index]! > 0 && counts[index]! < size) splits.set(index, counts[index]!);
  }
  return splits;
}

function applySplits(
  classOf: Int32Array,
  sizes: number[],
  { inside, splits }: { readonly inside: Uint8Array; readonly splits: ReadonlyMap<number, number> },
): void {
  const movesTo = new Int32Array(sizes.length).fill(-1);
  for (const [index, count] of splits) {
    movesTo[index] = sizes.length;
    sizes[index]! -= count;
    sizes.push(count);
  }
  for (let id = 0; id < classOf.length; id++) {
    const target = inside[id] === 1 ? movesTo[classOf[id]!]! : -1;
    if (target !== -1) classOf[id] = target;
  }
}

function classesOf(graph: ReferenceGraph, classOf: Int32Array): Class[] {
  const members = Map.groupBy(classOf.keys(), (id) => classOf[id]!);
  const order = byName(graph);
  return Array.from(members.values(), (ids) => ({
    ids: ids.sort(order),
    closureSize: closureSize(graph, ids),
  }));
}

function closureSize(graph: ReferenceGraph, ids: readonly number[]): number {
  const found = reachable(graph.references, ids);
  return graph.infos.reduce((sum, { narSize }, id) => (found[id] === 1 ? sum + narSize : sum), 0);
}

/** No layer where all paths are ignored. */
function planClass(
  graph: ReferenceGraph,
  { ids }: Class,
  { chosen, ignored }: { readonly chosen: Uint8Array; readonly ignored: ReadonlySet<string> },
): readonly LayerPlan[] {
  const paths = ids.map((id) => graph.infos[id]!).filter(({ path }) => !ignored.has(path));
  if (paths.length === 0) return [];
  const users = usersOf(graph, ids[0]!, chosen).sort(byLargest(graph));
  return [layerOf(paths, { kind: 'shared', users: users.map((id) => graph.infos[id]!.path) })];
}

/** The chosen paths that need `id` and no other chosen path that needs it; `id` itself if it is chosen. */
function usersOf(graph: ReferenceGraph, id: number, chosen: Uint8Array): number[] {
  const nearest = nearestChosen(graph, id, chosen);
  const farther = reachable(
    graph.referrers,
    nearest.flatMap((user) => [...row(graph.referrers, user)]),
  );
  return nearest.filter((user) => farther[user] === 0);
}

/** Goes up from `id` and no farther than the first chosen path of every walk. */
function nearestChosen(graph: ReferenceGraph, id: number, chosen: Uint8Array): readonly number[] {
  const seen = new Set([id]);
  for (const at of seen) {
    // A set that grows while it is walked is a queue without duplicates.
    if (chosen[at] === 0) row(graph.referrers, at).forEach((referrer) => seen.add(referrer));
  }
  return [...seen].filter((at) => chosen[at] === 1);
}
