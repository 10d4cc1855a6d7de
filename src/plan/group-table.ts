/**
 * Groups in numbered places, and the cheapest pair to merge.
 *
 * What a pair would cost is counted when it is needed: until then it has a bound (`merge-bounds.ts`), which mostly shows that it is not the
 * cheapest. Each place knows its cheapest partner: found by going through all, and again when that partner changes.
 *
 * Deterministic: of equal costs the first place wins where all are gone through; where one is new, those that are there.
 */
import { addedCost, MergeBounds, nextBelow } from './merge-bounds.ts';
import { type Group, mergeGroups } from './steady-groups.ts';
import type { SteadyModel } from './steady-model.ts';

export class GroupTable {
  size = 0;
  readonly #model: SteadyModel;
  readonly #places: (Group | undefined)[];
  readonly #bounds: MergeBounds;
  /** By place twice: what merging the two adds, or a bound below it; infinite where they are one or one of them is empty. */
  readonly #costs: readonly Float64Array[];
  /** 1 where the cost is exact. */
  readonly #isExact: readonly Uint8Array[];
  /** The cheapest partner of each place, or -1. */
  readonly #nearest: Int32Array;
  /** What merging with it adds, exactly; infinite without one. */
  readonly #least: Float64Array;

  constructor(model: SteadyModel, capacity: number) {
    this.#model = model;
    this.#places = Array.from({ length: capacity }, () => undefined);
    this.#bounds = new MergeBounds(capacity);
    this.#costs = this.#places.map(() => new Float64Array(capacity).fill(Infinity));
    this.#isExact = this.#places.map(() => new Uint8Array(capacity));
    this.#nearest = new Int32Array(capacity).fill(-1);
    this.#least = new Float64Array(capacity).fill(Infinity);
  }

  groups(): readonly Group[] {
    return this.#places.filter((group) => group !== undefined);
  }

  add(group: Group): void {
    this.size++;
    this.#put(this.#places.indexOf(undefined), group);
  }

  mergeCheapest(): void {
    const place = placeOfLeast(this.#least);
    const partner = this.#nearest[place]!;
    const merged = mergeGroups(this.#model, this.#places[place]!, this.#places[partner]!);
    this.#empty(partner);
    this.#put(place, merged, partner);
  }

  #empty(place: number): void {
    this.size--;
    this.#places[place] = undefined;
    this.#bounds.set(place, undefined);
    this.#nearest[place] = -1;
    this.#least[place] = Infinity;
    this.#costs[place]!.fill(Infinity);
    mirrorRow(this.#costs, place);
  }

  /** @param emptied a place that nothing is near to any more */
  #put(place: number, group: Group, emptied = place): void {
    this.#places[place] = group;
    this.#bounds.set(place, group);
    this.#boundCosts(place, group);
    this.#findNearest(place);
    const [costs, least, nearest] = [this.#costs[place]!, this.#least, this.#nearest];
    for (let other = 0; other < costs.length; other++) {
      if (nearest[other] === place || nearest[other] === emptied) this.#findNearest(other);
      else if (costs[other]! < least[other]!) this.#compareNearest(other, place);
    }
  }

  #boundCosts(place: number, group: Group): void {
    this.#bounds.fill(this.#costs[place]!, group);
    this.#costs[place]![place] = Infinity;
    this.#isExact[place]!.fill(0);
    mirrorRow(this.#costs, place);
    mirrorRow(this.#isExact, place);
  }

  #findNearest(place: number): void {
    const costs = this.#costs[place]!;
    let nearest = -1;
    let least = Infinity;
    for (let at = nextBelow(costs, 0, least); at < costs.length; at = nextBelow(costs, at + 1, least)) {
      const cost = this.#exactCost(place, at);
      if (cost >= least) continue;
      nearest = at;
      least = cost;
    }
    this.#nearest[place] = nearest;
    this.#least[place] = least;
  }

  #compareNearest(place: number, other: number): void {
    const cost = this.#exactCost(place, other);
    if (cost >= this.#least[place]!) return;
    this.#nearest[place] = other;
    this.#least[place] = cost;
  }

  #exactCost(a: number, b: number): number {
    const costs = this.#costs[a]!;
    const isExact = this.#isExact[a]!;
    if (isExact[b] === 1) return costs[b]!;
    const cost = addedCost(this.#model, this.#places[a]!, this.#places[b]!);
    costs[b] = cost;
    isExact[b] = 1;
    this.#costs[b]![a] = cost;
    this.#isExact[b]![a] = 1;
    return cost;
  }
}

/** Makes the column of a place what its row is. */
function mirrorRow(rows: readonly (Float64Array | Uint8Array)[], place: number): void {
  const row = rows[place]!;
  for (let at = 0; at < row.length; at++) rows[at]![place] = row[at]!;
}

/** The first of equal ones. */
function placeOfLeast(values: Float64Array): number {
  let place = 0;
  for (let at = 1; at < values.length; at++) if (values[at]! < values[place]!) place = at;
  return place;
}
