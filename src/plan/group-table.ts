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
  readonly #capacity: number;
  readonly #places: (Group | undefined)[];
  readonly #bounds: MergeBounds;
  /** `costs[a * capacity + b]`: what merging a and b adds, or a bound below it; infinite where a is b or one of them is empty. */
  readonly #costs: Float64Array;
  /** 1 where the cost is exact. */
  readonly #isExact: Uint8Array;
  /** The cheapest partner of each place, or -1. */
  readonly #nearest: Int32Array;
  /** What merging with it adds, exactly; infinite without one. */
  readonly #least: Float64Array;

  constructor(model: SteadyModel, capacity: number) {
    this.#model = model;
    this.#capacity = capacity;
    this.#places = Array.from({ length: capacity }, () => undefined);
    this.#bounds = new MergeBounds(capacity);
    this.#costs = new Float64Array(capacity * capacity).fill(Infinity);
    this.#isExact = new Uint8Array(capacity * capacity);
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
    for (let other = 0; other < this.#capacity; other++) this.#setCost(place, other, Infinity);
  }

  /** @param emptied a place that nothing is near to any more */
  #put(place: number, group: Group, emptied = place): void {
    this.#places[place] = group;
    this.#bounds.set(place, group);
    this.#boundCosts(place, group);
    this.#findNearest(place);
    const start = place * this.#capacity;
    for (let other = 0; other < this.#capacity; other++) {
      const nearest = this.#nearest[other];
      if (nearest === place || nearest === emptied) this.#findNearest(other);
      else if (this.#costs[start + other]! < this.#least[other]!) this.#compareNearest(other, place);
    }
  }

  #boundCosts(place: number, group: Group): void {
    const start = place * this.#capacity;
    const row = this.#costs.subarray(start, start + this.#capacity);
    this.#bounds.fill(row, group);
    row[place] = Infinity;
    fillColumn(this.#costs, place, row);
    this.#isExact.fill(0, start, start + this.#capacity);
    for (let at = place; at < this.#isExact.length; at += this.#capacity) this.#isExact[at] = 0;
  }

  #findNearest(place: number): void {
    const start = place * this.#capacity;
    const end = start + this.#capacity;
    let nearest = -1;
    let least = Infinity;
    for (
      let at = nextBelow(this.#costs, start, end, least);
      at < end;
      at = nextBelow(this.#costs, at + 1, end, least)
    ) {
      const cost = this.#exactCost(place, at - start);
      if (cost >= least) continue;
      nearest = at - start;
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
    const at = a * this.#capacity + b;
    if (this.#isExact[at] === 0) {
      this.#setCost(a, b, addedCost(this.#model, this.#places[a]!, this.#places[b]!));
    }
    return this.#costs[at]!;
  }

  #setCost(a: number, b: number, cost: number): void {
    const at = a * this.#capacity + b;
    const turned = b * this.#capacity + a;
    this.#costs[at] = cost;
    this.#costs[turned] = cost;
    this.#isExact[at] = 1;
    this.#isExact[turned] = 1;
  }
}

/** @param column of `row.length` */
function fillColumn(table: Float64Array, column: number, row: Float64Array): void {
  for (let at = 0; at < row.length; at++) table[at * row.length + column] = row[at]!;
}

/** The first of equal ones. */
function placeOfLeast(values: Float64Array): number {
  let place = 0;
  for (let at = 1; at < values.length; at++) if (values[at]! < values[place]!) place = at;
  return place;
}
