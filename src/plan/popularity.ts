/**
 * The strategy `popularity`: the paths that most others lead to have a layer each, the rest share one.
 *
 * Definitions
 *   walks(v)       number of distinct walks from a virtual root, which refers to every path without referrers, to v
 *   popularity(v)  walks(v) + the sum of walks(a) over the proper ancestors a of v
 *   order          popularity descending; ties ascending by the path with all before its first dash moved to the end
 *
 * Steps
 *   1. Estimate every popularity with a known bound of its relative error (`popularity-estimate.ts`).
 *   2. Sort by the estimates. Where neighbours are closer than the bound allows to tell, decide by exact
 *      integers (`exact-popularity.ts`); paths with the same referrers are equal without counting.
 *   3. Counts that a reason shows are exact too.
 *
 * Cost, for n paths and m references: n/32 passes over the references, O(n + m) memory. Exact counts have hundreds of
 * bits on real closures and would multiply both; estimates tell nearly all of them apart.
 *
 * Deterministic: an estimate only ever decides where it cannot be wrong, so the order is that of the exact integers,
 * and the tie-break is a total order of paths.
 *
 * Prior art: the popularity contest of nixpkgs (2018), whose recursive definition this closed form equals;
 * floating-point filters before exact arithmetic (Shewchuk 1997).
 */
import type { LayerPlan } from './layer-plan.ts';
import type { StorePath } from '../store/store-path.ts';
import { exactPopularities } from './exact-popularity.ts';
import { layerOf } from './layer-of.ts';
import { type Estimates, estimatePopularity, isCertainlyGreater, isExact } from './popularity-estimate.ts';
import { type ReferenceGraph, row } from './reference-graph.ts';
import { rankTexts } from './text-order.ts';

export interface PopularityOptions {
  /** Of layers, at least 1. */
  readonly limit: number;
  /** Paths that count as referrers and are then dropped. */
  readonly ignore?: readonly StorePath[];
}

/** At most `limit` layers: the most popular paths alone, then the rest together in order of popularity. */
export function planPopularity(
  graph: ReferenceGraph,
  { limit, ignore }: PopularityOptions,
): readonly LayerPlan[] {
  const ignored = new Set(ignore);
  const order = popularityOrder(graph).filter((id) => !ignored.has(graph.infos[id]!.path));
  const alone = order.length <= limit ? order : order.slice(0, limit - 1);
  const counts = exactPopularities(graph, alone);
  const layers = alone.map((id, place) =>
    layerOf([graph.infos[id]!], { kind: 'popular', popularity: String(counts[place]) }),
  );
  const rest = order.slice(alone.length).map((id) => graph.infos[id]!);
  return rest.length === 0 ? layers : [...layers, layerOf(rest, { kind: 'rest' })];
}

/** Every id once, most popular first. */
export function popularityOrder(graph: ReferenceGraph): readonly number[] {
  const estimates = estimatePopularity(graph);
  const ranks = rankTexts(graph.infos.map(({ path }) => tieBreak(path)));
  const byKey = (a: number, b: number): number => ranks[a]! - ranks[b]!;
  const ids = Array.from(ranks.keys()).sort((a, b) => compareEstimates(estimates, b, a) || byKey(a, b));
  const runs = runsOfUncertain(ids, estimates);
  const counts = decidingCounts(
    graph,
    // Exact counts in one run are equal, and the sort has put them in order.
    runs.filter((run) => run.length > 1 && !isExact(estimates, run[0]!)),
  );
  return runs.flatMap((run) => sortRun(run, counts, byKey));
}

/** `/nix/store/HASH-foo-1` sorts as `foo-1-/nix/store/HASH`, so that equal counts go by name. */
export function tieBreak(path: string): string {
  const dash = path.indexOf('-');
  return dash === -1 ? path : `${path.slice(dash + 1)}-${path.slice(0, dash)}`;
}

function compareEstimates({ exponents, fractions }: Estimates, a: number, b: number): number {
  return exponents[a]! - exponents[b]! || fractions[a]! - fractions[b]!;
}

/** Cuts a descending order wherever the estimates are far enough apart to be sure of it. */
function runsOfUncertain(ids: readonly number[], estimates: Estimates): readonly (readonly number[])[] {
  const runs: number[][] = [];
  for (const id of ids) {
    const run = runs.at(-1);
    if (run === undefined || isCertainlyGreater(estimates, run.at(-1)!, id)) runs.push([id]);
    else run.push(id);
  }
  return runs;
}

/** By id, the exact counts of the paths in `runs`. A run of paths with the same referrers is equal without counting. */
function decidingCounts(
  graph: ReferenceGraph,
  runs: readonly (readonly number[])[],
): ReadonlyMap<number, bigint> {
  const classes = runs.flatMap((run) => {
    const members = [...Map.groupBy(run, (id) => row(graph.referrers, id).join()).values()];
    return members.length === 1 ? [] : members;
  });
  const firsts = classes.map(([first]) => first!);
  const counts = exactPopularities(graph, firsts);
  return new Map(classes.flatMap((ids, index) => ids.map((id) => [id, counts[index]!] as const)));
}

/** Paths without a count in `counts` are equal. */
function sortRun(
  run: readonly number[],
  counts: ReadonlyMap<number, bigint>,
  byKey: (a: number, b: number) => number,
): readonly number[] {
  if (run.length === 1) return run;
  return [...run].sort((a, b) => compareBigints(counts.get(b) ?? 0n, counts.get(a) ?? 0n) || byKey(a, b));
}

function compareBigints(a: bigint, b: bigint): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
