/**
 * The strategy `steady`: layers that stay put from release to release, so that clients pull what changed and little else.
 *
 * Definitions
 *   risk, cost, group   `steady-model.ts`: how likely a layer is to be sent again
 *   root                a path that nothing refers to: what the image is made for, or its configuration; it changes with every release
 *   small root          one below the mean size of a layer
 *   kept                a layer of the previous image all of whose paths are in the closure still
 *
 * Steps without a previous image
 *   1. Roots get layers of their own while those are at most a tenth; else the small ones share one.
 *   2. The other layers are divided between input-addressed and content-addressed paths by the root of bytes times units, which is
 *      best for parts that are cut evenly.
 *   3. Input-addressed paths are gathered with what covers them (`steady-cover.ts`), content-addressed ones by family (`steady-families.ts`).
 *   4. Layers are ordered by how little they change (`steady-order.ts`).
 *
 * Steps with a previous image
 *   1. The record of changes goes on by one step (`change-record.ts`), and the model learns its rates from it.
 *   2. Kept layers stay whole. All other paths must be sent whatever the plan, so that grouping them anew is free: cover, beginning
 *      with the kept layers; these are merged only where the limit forces it.
 *   3. The longest prefix of the previous order whose layers are all kept stays as it is; the others are ordered above it.
 * An unchanged closure has the unchanged plan.
 *
 * Cost, for n paths, u units and k layers: at most 2 n k u/32 steps, and n u/32 words of memory; u is at most 8192. Measured in bench/planning.md.
 *
 * Deterministic: a function of the closure and, where there is one, of the previous image's layers and record. Ties go by keys that
 * hold no hashes, so that a mass rebuild of the same names leads to the same layers.
 *
 * Prior art: auto of nixpkgs; popularity (Christensen 2018); coreos/chunkah's packing by stability.
 */
import type { PathInfo } from '../store/store.ts';
import type { StorePath } from '../store/store-path.ts';
import { type ChangeRecord, EMPTY_RECORD, nextRecord } from './change-record.ts';
import { layerOf } from './layer-of.ts';
import type { LayerPlan, LayerReason } from './layer-plan.ts';
import { byName } from './name-order.ts';
import { type ReferenceGraph, row } from './reference-graph.ts';
import { cover } from './steady-cover.ts';
import { divideFamilies } from './steady-families.ts';
import { type Group, groupOf } from './steady-groups.ts';
import { bySize, MAX_UNITS, type SteadyModel, steadyModel } from './steady-model.ts';
import { orderGroups } from './steady-order.ts';

export interface SteadyOptions {
  /** Of layers, at least 1. */
  readonly limit: number;
  readonly previous?: PreviousLayers;
}

/** What is known of the image before. */
export interface PreviousLayers {
  /** Store paths of each store layer in the tar's order, layers bottom to top. Paths that are in a lower layer already do not count. */
  readonly layers: readonly (readonly string[])[];
  /** As `planSteady` returned it then; without it, what changed before is not known. */
  readonly changes?: ChangeRecord;
}

export interface SteadyPlan {
  /** Lowest first; at most the limit. */
  readonly layers: readonly LayerPlan[];
  /** For the next plan; plain JSON. */
  readonly changes: ChangeRecord;
}

/** Layers of the limit for each root that gets one of its own: less was measured to cost more than it saves. */
const LAYERS_FOR_ROOT = 40;

export function planSteady(graph: ReferenceGraph, { limit, previous }: SteadyOptions): SteadyPlan {
  return previous === undefined ? planAfresh(graph, limit) : planAfter(graph, limit, previous);
}

function planAfresh(graph: ReferenceGraph, limit: number): SteadyPlan {
  const model = steadyModel(graph);
  const roots = rootGroups(model, rootsOf(graph), limit);
  const taken = new Set(roots.flatMap(({ ids }) => ids));
  const rest = model.largestFirst.filter((id) => !taken.has(id));
  const groups = orderGroups(model, { free: [...divide(model, rest, limit - roots.length), ...roots] });
  return { layers: toLayers(model, groups, new Set(roots)), changes: EMPTY_RECORD };
}

function planAfter(graph: ReferenceGraph, limit: number, previous: PreviousLayers): SteadyPlan {
  const record = previous.changes ?? EMPTY_RECORD;
  const { kept, isUnchanged } = findKept(graph, previous.layers);
  const changes = isUnchanged ? record : nextRecord(graph, new Set(previous.layers.flat()), record);
  const model = steadyModel(graph, changes.steps === 0 ? undefined : changes);
  const keptGroups = kept.map(({ ids, place }) => groupOf(model, ids, place));
  const { groups, roots } =
    isUnchanged && kept.length <= limit
      ? { groups: keptGroups, roots: [] }
      : regroup(model, keptGroups, limit);
  const fixed = survivingPrefix(groups, previous.layers.length);
  const free = groups.filter((group) => !fixed.includes(group));
  return { layers: toLayers(model, orderGroups(model, { fixed, free }), new Set(roots)), changes };
}

interface KeptLayer {
  readonly ids: readonly number[];
  readonly place: number;
}

function findKept(
  graph: ReferenceGraph,
  layers: readonly (readonly string[])[],
): { readonly kept: readonly KeptLayer[]; readonly isUnchanged: boolean } {
  const seen = new Set<number>();
  const kept: KeptLayer[] = [];
  for (const [place, paths] of layers.entries()) {
    const ids = paths.map((path) => graph.idOf.get(path as StorePath)).filter((id) => id !== undefined);
    const isWhole = ids.length === paths.length && ids.length > 0 && new Set(ids).size === ids.length;
    if (isWhole && ids.every((id) => !seen.has(id))) kept.push({ ids, place });
    for (const id of ids) seen.add(id);
  }
  const count = kept.reduce((sum, { ids }) => sum + ids.length, 0);
  return { kept, isUnchanged: kept.length === layers.length && count === graph.infos.length };
}

interface Grouping {
  readonly groups: readonly Group[];
  /** Those of `groups` that hold nothing but roots. */
  readonly roots: readonly Group[];
}

function regroup(model: SteadyModel, kept: readonly Group[], limit: number): Grouping {
  const isKept = new Set(kept.flatMap(({ ids }) => ids));
  const roots = rootGroups(
    model,
    rootsOf(model.graph).filter((id) => !isKept.has(id)),
    limit,
  );
  const taken = new Set(roots.flatMap(({ ids }) => ids));
  const rest = model.largestFirst.filter((id) => !isKept.has(id) && !taken.has(id));
  const items = [...kept, ...itemsOf(model, rest)];
  const groups = items.length === 0 ? [] : cover(model, items, { limit: Math.max(limit - roots.length, 1) });
  return { groups: [...groups, ...roots], roots };
}

/** As many of `groups` as are the previous image's lowest, in its order. */
function survivingPrefix(groups: readonly Group[], places: number): readonly Group[] {
  const byPlace = new Map(groups.map((group) => [group.kept, group]));
  const prefix: Group[] = [];
  for (let place = 0; place < places; place++) {
    const group = byPlace.get(place);
    if (group === undefined) break;
    prefix.push(group);
  }
  return prefix;
}

function rootsOf({ infos, referrers }: ReferenceGraph): readonly number[] {
  return Array.from(infos.keys()).filter((id) => row(referrers, id).length === 0);
}

/** Roots alone in a layer each, where that is a small part of the limit; the risk of the others keeps them from what is stable. */
function rootGroups(model: SteadyModel, roots: readonly number[], limit: number): readonly Group[] {
  if (roots.length > limit / LAYERS_FOR_ROOT) return [];
  return roots.map((id) => groupOf(model, [id]));
}

/** @param ids largest first */
function divide(model: SteadyModel, ids: readonly number[], limit: number): readonly Group[] {
  if (ids.length <= limit) return ids.map((id) => groupOf(model, [id]));
  // One layer holds both kinds, whatever planner makes it.
  const isByContent = (id: number): boolean => limit > 1 && model.graph.infos[id]!.ca !== undefined;
  const byContent = ids.filter(isByContent);
  const byInput = ids.filter((id) => !isByContent(id));
  const share = contentShare(model, byContent, byInput, limit);
  return [
    ...(byInput.length === 0 ? [] : cover(model, itemsOf(model, byInput), { limit: limit - share })),
    ...(byContent.length === 0
      ? []
      : divideFamilies(model, byContent, share).map((some) => groupOf(model, some))),
  ];
}

/** Layers for content-addressed paths; where there are both kinds, each gets one at least, and no more than its paths. */
function contentShare(
  model: SteadyModel,
  byContent: readonly number[],
  byInput: readonly number[],
  limit: number,
): number {
  if (byContent.length === 0) return 0;
  if (byInput.length === 0) return limit;
  const weigh = (ids: readonly number[]): number => {
    const bytes = ids.reduce((sum, id) => sum + model.graph.infos[id]!.narSize, 0);
    return Math.sqrt(bytes * new Set(ids.map((id) => model.names.units[id]!)).size);
  };
  const [content, input] = [weigh(byContent), weigh(byInput)];
  const share = content + input === 0 ? 0 : Math.round((limit * content) / (content + input));
  return Math.min(Math.max(share, limit - byInput.length, 1), limit - 1, byContent.length);
}

/**
 * One for each path, largest first. In huge closures the smallest paths begin in the item of the largest path that refers to
 * them, which covers them.
 */
function itemsOf(model: SteadyModel, ids: readonly number[]): readonly Group[] {
  if (ids.length <= MAX_UNITS) return ids.map((id) => groupOf(model, [id]));
  const homeOf = new Map(ids.slice(0, MAX_UNITS).map((id) => [id, id]));
  const isDust = new Set(ids.slice(MAX_UNITS));
  const compare = bySize(model.graph, model.names);
  const bySizeOfHome = (a: number, b: number): number => compare(homeOf.get(a)!, homeOf.get(b)!);
  const [stray] = isDust;
  for (const id of model.graph.order) {
    if (!isDust.has(id)) continue;
    const users = Array.from(row(model.graph.referrers, id)).filter((user) => homeOf.has(user));
    const [largest] = users.sort(bySizeOfHome);
    homeOf.set(id, largest === undefined ? stray! : homeOf.get(largest)!);
  }
  const members = Map.groupBy(ids, (id) => homeOf.get(id)!);
  return Array.from(members.values(), (some) => groupOf(model, some));
}

function toLayers(
  { graph }: SteadyModel,
  groups: readonly Group[],
  roots: ReadonlySet<Group>,
): readonly LayerPlan[] {
  const order = byName(graph);
  return groups.map((group) => {
    // A kept layer's tar stays the same, whoever planned it.
    const ids = group.kept === undefined ? [...group.ids].sort(order) : group.ids;
    const infos = ids.map((id) => graph.infos[id]!);
    if (group.kept !== undefined) return layerOf(infos, { kind: 'kept', place: group.kept });
    return layerOf(infos, reasonOf(infos, roots.has(group)));
  });
}

function reasonOf(infos: readonly PathInfo[], isRoot: boolean): LayerReason {
  if (isRoot) return { kind: 'root' };
  const largest = infos.reduce((a, b) => (b.narSize > a.narSize ? b : a));
  return { kind: 'steady', around: largest.path };
}
