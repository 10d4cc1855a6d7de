/**
 * Groups in numbered places, and the cheapest pair to merge.
 *
 * What a pair would cost is counted when it is needed: until then it has a bound (`merge-bounds.ts`), which mostly shows that it is not the
 * cheapest. Each place knows its cheapest partner: found by going through all, and again when that partner changes.
 *
 * Deterministic: of equal costs the first place wins where all are gone through; where one is new, those that are there.
 */
import { addedCost, MergeBounds } from './merge-bounds.ts';
import { type Group, mergeGroups, type SteadyModel } from './steady-model.ts';

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
    for (let other = 0; other < this.#capacity; other++) {
      if (other === place || this.#places[other] === undefined) continue;
      const nearest = this.#nearest[other]!;
      if (nearest === place || nearest === emptied || nearest === -1) this.#findNearest(other);
      else this.#compareNearest(other, place);
    }
  }

  #boundCosts(place: number, group: Group): void {
    const [costs, isExact, capacity] = [this.#costs, this.#isExact, this.#capacity];
    const start = place * capacity;
    this.#bounds.fill(costs.subarray(start, start + capacity), group);
    costs[start + place] = Infinity;
    isExact.fill(0, start, start + capacity);
    for (let other = 0; other < capacity; other++) {
      costs[other * capacity + place] = costs[start + other]!;
      isExact[other * capacity + place] = 0;
    }
  }

  #findNearest(place: number): void {
    const [costs, capacity] = [this.#costs, this.#capacity];
    const start = place * capacity;
    let nearest = -1;
    let least = Infinity;
    for (let other = 0; other < capacity; other++) {
      if (costs[start + other]! >= least) continue;
      const cost = this.#exactCost(place, other);
      if (cost >= least) continue;
      nearest = other;
      least = cost;
    }
    this.#nearest[place] = nearest;
    this.#least[place] = least;
  }

  #compareNearest(place: number, other: number): void {
    const least = this.#least[place]!;
    if (this.#costs[place * this.#capacity + other]! >= least) return;
    const cost = this.#exactCost(place, other);
    if (cost >= least) return;
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
    const [at, turned] = [a * this.#capacity + b, b * this.#capacity + a];
    this.#costs[at] = cost;
    this.#costs[turned] = cost;
    this.#isExact[at] = 1;
    this.#isExact[turned] = 1;
  }
}

/** The first of equal ones. */
function placeOfLeast(values: Float64Array): number {
  let place = 0;
  for (let at = 1; at < values.length; at++) if (values[at]! < values[place]!) place = at;
  return place;
}
