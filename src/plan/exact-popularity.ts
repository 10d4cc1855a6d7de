/**
 * Popularity as an exact integer, for the few paths whose count is shown or decides a close call.
 *
 * A path's ancestors are nearly those of the next one in an order of popularity, so each sum is made from the one
 * before: what came into the set is added, what left it is taken off. Cost: a walk up the graph for each path, and one
 * addition of long integers for each difference.
 */
import { reachable, type ReferenceGraph, row } from './reference-graph.ts';

/** The popularity of each of `ids`, in their order; `popularity.ts` defines it. */
export function exactPopularities(graph: ReferenceGraph, ids: readonly number[]): readonly bigint[] {
  if (ids.length === 0) return [];
  const walks = exactWalks(graph);
  let known: Uint8Array = new Uint8Array(graph.infos.length);
  let sum = 0n;
  return ids.map((id) => {
    // The walks of the path itself count once, as those of its ancestors do.
    const found = reachable(graph.referrers, [id]);
    sum += sumOfChanges(walks, known, found);
    known = found;
    return sum;
  });
}

const walksOfGraph = new WeakMap<ReferenceGraph, readonly bigint[]>();

/** Remembered, because one order may have many close calls. */
function exactWalks(graph: ReferenceGraph): readonly bigint[] {
  const known = walksOfGraph.get(graph);
  if (known !== undefined) return known;
  const walks = countWalks(graph);
  walksOfGraph.set(graph, walks);
  return walks;
}

function countWalks(graph: ReferenceGraph): readonly bigint[] {
  const walks = Array.from(graph.infos, () => 0n);
  for (const id of graph.order) {
    const referrers = row(graph.referrers, id);
    let sum = referrers.length === 0 ? 1n : 0n;
    for (const referrer of referrers) sum += walks[referrer]!;
    walks[id] = sum;
  }
  return walks;
}

function sumOfChanges(walks: readonly bigint[], before: Uint8Array, after: Uint8Array): bigint {
  let sum = 0n;
  for (let id = 0; id < after.length; id++) {
    if (after[id] === before[id]) continue;
    sum += after[id] === 1 ? walks[id]! : -walks[id]!;
  }
  return sum;
}
