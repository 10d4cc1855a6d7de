/**
 * Moving single paths between groups, one at a time and the largest first, to where they add the least: the second step of `steady-cover.ts`.
 *
 * A move is judged by its two groups alone. So after the first round only those are looked at that changed since a path was looked at.
 *
 * Cost, for n paths, k groups and u units: n k bounds, and a union of u/32 words for those that leave it open, in the first round; little in
 * the others. Deterministic: groups and paths have one order, and of equal costs the first group wins.
 *
 * Prior art: moves of single elements (Kernighan, Lin 1970).
 */
import { countBits, weightOfUnion } from './bit-sets.ts';
import { leastAdded, MergeBounds, nextBelow, ROUNDING } from './merge-bounds.ts';
import { costOfUnion, type Group, groupOf, riskOf } from './steady-groups.ts';
import type { SteadyModel } from './steady-model.ts';

const MAX_ROUNDS = 3;
/** Of paths: a move costs time in proportion to the paths of its groups. */
const MAX_REFINED = 4096;

/** A group never loses its last path, so that the limit stays used; those with kept layers stay as they are. */
export function refine(model: SteadyModel, groups: readonly Group[]): readonly Group[] {
  const loose = groups.filter(({ isWhole }) => !isWhole);
  const paths = loose.reduce((sum, { ids }) => sum + ids.length, 0);
  if (loose.length < 2 || paths > MAX_REFINED) return groups;
  const moves = new Moves(model, loose);
  let moved = true;
  for (let round = 0; round < MAX_ROUNDS && moved; round++) moved = moves.round();
  return [...groups.filter(({ isWhole }) => isWhole), ...moves.groups];
}

/** Units and recorded steps. */
interface Shared {
  readonly units: Int32Array;
  readonly low: number;
  readonly high: number;
}

class Moves {
  readonly groups: Group[];
  readonly #model: SteadyModel;
  /** By group: what more than one of its paths brings, and so stays without any single one. */
  readonly #shared: Shared[];
  readonly #bounds: MergeBounds;
  /** By group, and by id: the number of moves when it last changed, and when it was last looked at. */
  readonly #changedAt: Int32Array;
  readonly #seenAt: Int32Array;
  #moves = 0;
  /** By id: its group. */
  readonly #homeOf: Int32Array;
  /** Each of one path, the largest first. */
  readonly #singles: readonly Group[];
  /** By group, of the path in question. */
  readonly #added: Float64Array;

  constructor(model: SteadyModel, groups: readonly Group[]) {
    this.#model = model;
    this.groups = [...groups];
    this.#shared = groups.map((group) => sharedOf(model, group));
    this.#bounds = new MergeBounds(groups.length);
    this.#changedAt = new Int32Array(groups.length);
    this.#added = new Float64Array(groups.length);
    this.#seenAt = new Int32Array(model.largestFirst.length).fill(-1);
    this.#homeOf = new Int32Array(model.largestFirst.length).fill(-1);
    for (const [home, group] of groups.entries()) {
      this.#bounds.set(home, group);
      for (const id of group.ids) this.#homeOf[id] = home;
    }
    const ids = model.largestFirst.filter((id) => this.#homeOf[id] !== -1);
    this.#singles = ids.map((id) => groupOf(model, [id]));
  }

  /** Whether any path moved. */
  round(): boolean {
    const before = this.#moves;
    for (const single of this.#singles) this.#moveToBest(single);
    return this.#moves > before;
  }

  #moveToBest(single: Group): void {
    const id = single.ids[0]!;
    const home = this.#homeOf[id]!;
    const seenAt = this.#seenAt[id]!;
    this.#seenAt[id] = this.#moves;
    if (this.#moves === seenAt) return;
    const best = this.#findBest(single, home, this.#changedAt[home]! > seenAt ? -1 : seenAt);
    if (best === undefined) return;
    this.#moves++;
    this.#homeOf[id] = best;
    const left = this.groups[home]!.ids.filter((other) => other !== id);
    this.#change(home, groupOf(this.#model, left));
    this.#change(best, groupOf(this.#model, [...this.groups[best]!.ids, id]));
  }

  /** The group that a path is cheaper in than at home, and cheapest. @param seenAt groups that have not changed since are not that */
  #findBest(single: Group, home: number, seenAt: number): number | undefined {
    const { cost, ids } = this.groups[home]!;
    if (ids.length === 1) return undefined;
    const gain = cost - costWithout(this.#model, [this.groups[home]!, this.#shared[home]!], single);
    let least = gain - ROUNDING * cost - single.cost;
    // No layer can take a path for less than its own cost.
    if (least <= 0) return undefined;
    const bounds = this.#added;
    const changedAt = this.#changedAt;
    this.#bounds.fill(bounds, single);
    let best: number | undefined;
    const end = bounds.length;
    for (let other = nextBelow(bounds, 0, least); other < end; other = nextBelow(bounds, other + 1, least)) {
      if (other === home || changedAt[other]! <= seenAt) continue;
      const group = this.groups[other]!;
      if (leastAdded(this.#model, group, single) >= least) continue;
      const added = costOfUnion(this.#model, group, single) - group.cost - single.cost;
      if (added < least) [least, best] = [added, other];
    }
    return best;
  }

  #change(place: number, group: Group): void {
    this.groups[place] = group;
    this.#shared[place] = sharedOf(this.#model, group);
    this.#bounds.set(place, group);
    this.#changedAt[place] = this.#moves;
  }
}

function costWithout(model: SteadyModel, [group, shared]: readonly [Group, Shared], single: Group): number {
  const all = group.events;
  const own = single.events;
  const left = all.units.slice();
  for (let at = 0; at < left.length; at++) left[at]! &= ~own.units[at]! | shared.units[at]!;
  const low = all.low & (~own.low | shared.low);
  const high = all.high & (~own.high | shared.high);
  const steps = countBits(low) + countBits(high);
  return (group.size - single.size) * riskOf(model, weightOfUnion(model.runs, left, left), steps);
}

function sharedOf(model: SteadyModel, { ids }: Group): Shared {
  const once = new Int32Array(model.words);
  const units = new Int32Array(model.words);
  let [onceLow, onceHigh, low, high] = [0, 0, 0, 0];
  for (const id of ids) {
    const events = model.events[id]!;
    for (let at = 0; at < once.length; at++) {
      units[at]! |= once[at]! & events[at]!;
      once[at]! |= events[at]!;
    }
    low |= onceLow & model.low[id]!;
    high |= onceHigh & model.high[id]!;
    onceLow |= model.low[id]!;
    onceHigh |= model.high[id]!;
  }
  return { units, low, high };
}
