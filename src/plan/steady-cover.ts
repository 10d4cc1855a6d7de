/**
 * Grouping paths so that little is sent again: what covers what shares a layer.
 *
 * Definitions: `steady-model.ts`. An *item* is what the input has as one group.
 *
 * Steps
 *   1. Each item in turn opens a group. When there are more than the limit, the two groups whose union adds the least expected cost
 *      become one. Items that come first, the largest, become what the others gather around.
 *   2. Paths of groups without kept layers move, one at a time and the largest first, to where they add the least, for a few rounds.
 *
 * A kept group that is merged has to be sent once more now, which no item has to: that costs a part of its size, and it is never taken apart.
 *
 * Cost, for n items, k groups and u units: 2 n k unions of u/32 words, and n k more for each round of step 2. Memory k^2.
 *
 * Deterministic: items come in an order that the caller fixes, of equal costs the earlier group wins, and sums have one order.
 *
 * Prior art: agglomerative clustering with a nearest-neighbour array (Anderberg 1973); moves of single elements (Kernighan, Lin 1970).
 * Merging all items from the bottom up, without the limit in step 1, was measured and is worse.
 */
import {
  bySize,
  costOfUnion,
  countBits,
  type Group,
  groupOf,
  mergeGroups,
  riskOf,
  type SteadyModel,
  weightOfUnion,
} from './steady-model.ts';

export interface CoverOptions {
  /** Of groups, at least 1. */
  readonly limit: number;
}

/** Of releases: what sending a kept layer once more is spread over. */
const KEPT_HORIZON = 8;
const MAX_ROUNDS = 3;
/** Of paths: a move costs time in proportion to the paths of its groups. */
const MAX_REFINED = 4096;
/** Of a cost: gains below it are rounding. */
const LEAST_GAIN = 1e-9;

/** At most `limit` groups of all the items' paths. */
export function cover(
  model: SteadyModel,
  items: readonly Group[],
  { limit }: CoverOptions,
): readonly Group[] {
  return refine(model, gather(model, items, limit));
}

/** Step 1. */
function gather(model: SteadyModel, items: readonly Group[], limit: number): readonly Group[] {
  const table = new GroupTable(model, limit + 1);
  for (const item of items) {
    table.add(item);
    if (table.size > limit) table.mergeCheapest();
  }
  return table.groups();
}

/**
 * Groups in numbered places, and what each pair would cost together. Costs are counted when they are needed: until then a pair has a bound
 * below its cost, which costs nothing to find and mostly shows that it is not the cheapest.
 */
class GroupTable {
  size = 0;
  readonly #model: SteadyModel;
  readonly #capacity: number;
  readonly #places: (Group | undefined)[];
  /** `costs[a * capacity + b]`: what merging a and b adds, or a bound below it. */
  readonly #costs: Float64Array;
  /** 1 where the cost is exact. */
  readonly #isExact: Uint8Array;
  /** The cheapest partner of each place, or -1; its cost is exact. */
  readonly #nearest: Int32Array;

  constructor(model: SteadyModel, capacity: number) {
    this.#model = model;
    this.#capacity = capacity;
    this.#places = Array.from({ length: capacity }, () => undefined);
    this.#costs = new Float64Array(capacity * capacity);
    this.#isExact = new Uint8Array(capacity * capacity);
    this.#nearest = new Int32Array(capacity).fill(-1);
  }

  groups(): readonly Group[] {
    return this.#places.filter((group) => group !== undefined);
  }

  add(group: Group): void {
    this.size++;
    this.#put(this.#places.indexOf(undefined), group);
  }

  mergeCheapest(): void {
    let place = -1;
    for (let at = 0; at < this.#capacity; at++) {
      if (this.#nearest[at] !== -1 && (place === -1 || this.#nearestCost(at) < this.#nearestCost(place)))
        place = at;
    }
    const partner = this.#nearest[place]!;
    const merged = mergeGroups(this.#model, this.#places[place]!, this.#places[partner]!);
    this.#places[partner] = undefined;
    this.#nearest[partner] = -1;
    this.size--;
    this.#put(place, merged, partner);
  }

  #nearestCost(place: number): number {
    return this.#costs[place * this.#capacity + this.#nearest[place]!]!;
  }

  /** @param emptied a place that nothing is near to any more */
  #put(place: number, group: Group, emptied = place): void {
    this.#places[place] = group;
    for (let other = 0; other < this.#capacity; other++) {
      const partner = this.#places[other];
      if (partner !== undefined && other !== place)
        this.#setCost(place, other, leastAdded(partner, group), 0);
    }
    this.#findNearest(place);
    for (let other = 0; other < this.#capacity; other++) {
      if (this.#places[other] === undefined || other === place) continue;
      const nearest = this.#nearest[other]!;
      if (nearest === place || nearest === emptied || nearest === -1) this.#findNearest(other);
      else if (this.#isBelow(other, place, this.#nearestCost(other))) this.#nearest[other] = place;
    }
  }

  /** Of equal costs the first place wins. */
  #findNearest(place: number): void {
    let nearest = -1;
    let least = Infinity;
    for (let other = 0; other < this.#capacity; other++) {
      if (this.#places[other] === undefined || other === place || !this.#isBelow(place, other, least))
        continue;
      nearest = other;
      least = this.#costs[place * this.#capacity + other]!;
    }
    this.#nearest[place] = nearest;
  }

  /** Counts the cost where the bound leaves it open. */
  #isBelow(a: number, b: number, cost: number): boolean {
    const at = a * this.#capacity + b;
    if (this.#costs[at]! >= cost) return false;
    if (this.#isExact[at] === 0) {
      this.#setCost(a, b, addedCost(this.#model, this.#places[a]!, this.#places[b]!), 1);
    }
    return this.#costs[at]! < cost;
  }

  #setCost(a: number, b: number, cost: number, isExact: 0 | 1): void {
    const [at, turned] = [a * this.#capacity + b, b * this.#capacity + a];
    this.#costs[at] = cost;
    this.#costs[turned] = cost;
    this.#isExact[at] = isExact;
    this.#isExact[turned] = isExact;
  }
}

function addedCost(model: SteadyModel, a: Group, b: Group): number {
  return costOfUnion(model, a, b) - a.cost - b.cost + resendCost(a) + resendCost(b);
}

/** A bound below the added cost: a union is at least as risky as the riskier of the two. Rounding may not lift it above. */
function leastAdded(a: Group, b: Group): number {
  const risk = Math.max(a.cost / Math.max(a.size, 1), b.cost / Math.max(b.size, 1));
  return (
    ((a.size + b.size) * risk - a.cost - b.cost) * (1 - LEAST_GAIN) -
    LEAST_GAIN * (a.cost + b.cost) +
    resendCost(a) +
    resendCost(b)
  );
}

function resendCost({ kept, size }: Group): number {
  return kept === undefined ? 0 : size / KEPT_HORIZON;
}

/** A group, and what more than one of its paths brings: what would stay without any single one. */
interface Open {
  group: Group;
  shared: Int32Array;
  sharedLow: number;
  sharedHigh: number;
}

/** Step 2. A group never loses its last path, so that the limit stays used. */
function refine(model: SteadyModel, groups: readonly Group[]): readonly Group[] {
  const open = groups.filter(({ isWhole }) => !isWhole).map((group) => openGroup(model, group));
  if (open.length < 2) return groups;
  const homeOf = new Map(open.flatMap((one) => one.group.ids.map((id) => [id, one] as const)));
  if (homeOf.size > MAX_REFINED) return groups;
  const ids = Array.from(homeOf.keys()).sort(bySize(model));
  const singles = ids.map((id) => groupOf(model, [id]));
  let moved = 1;
  for (let round = 0; round < MAX_ROUNDS && moved > 0; round++) {
    moved = 0;
    for (const single of singles) if (moveToBest(model, single, { open, homeOf })) moved++;
  }
  return [...groups.filter(({ isWhole }) => isWhole), ...open.map(({ group }) => group)];
}

/** @param single of one path */
function moveToBest(
  model: SteadyModel,
  single: Group,
  { open, homeOf }: { readonly open: readonly Open[]; readonly homeOf: Map<number, Open> },
): boolean {
  const [id] = single.ids as readonly [number];
  const home = homeOf.get(id)!;
  if (home.group.ids.length === 1) return false;
  const gain = home.group.cost - costWithout(model, home, single);
  let least = gain - LEAST_GAIN * home.group.cost - single.cost;
  // No layer can take a path for less than its own cost.
  if (least <= 0) return false;
  let best: Open | undefined;
  for (const other of open) {
    if (other === home || leastAdded(other.group, single) >= least) continue;
    const added = costOfUnion(model, other.group, single) - other.group.cost - single.cost;
    if (added < least) [least, best] = [added, other];
  }
  if (best === undefined) return false;
  Object.assign(
    home,
    openGroup(
      model,
      groupOf(
        model,
        home.group.ids.filter((other) => other !== id),
      ),
    ),
  );
  Object.assign(best, openGroup(model, groupOf(model, [...best.group.ids, id])));
  homeOf.set(id, best);
  return true;
}

function costWithout(
  model: SteadyModel,
  { group, shared, sharedLow, sharedHigh }: Open,
  single: Group,
): number {
  const left = new Int32Array(shared.length);
  for (let at = 0; at < left.length; at++) left[at] = group.events[at]! & (~single.events[at]! | shared[at]!);
  const low = group.low & (~single.low | sharedLow);
  const high = group.high & (~single.high | sharedHigh);
  const steps = countBits(low) + countBits(high);
  return (group.size - single.size) * riskOf(model, weightOfUnion(model, left, left), steps);
}

function openGroup(model: SteadyModel, group: Group): Open {
  const once = new Int32Array(model.words);
  const shared = new Int32Array(model.words);
  let [low, high, sharedLow, sharedHigh] = [0, 0, 0, 0];
  for (const id of group.ids) {
    const events = model.events[id]!;
    for (let at = 0; at < once.length; at++) {
      shared[at]! |= once[at]! & events[at]!;
      once[at]! |= events[at]!;
    }
    sharedLow |= low & model.low[id]!;
    sharedHigh |= high & model.high[id]!;
    low |= model.low[id]!;
    high |= model.high[id]!;
  }
  return { group, shared, sharedLow, sharedHigh };
}
