/**
 * What merging two groups adds to the expected bytes, and a bound below that for a group and many others, which takes a few instructions
 * each: a union is at least as risky as the riskier of the two.
 *
 * A kept group that is merged has to be sent once more, which counts, too.
 */
import { costOfUnion, type Group, leastCostOfUnion } from './steady-groups.ts';
import type { SteadyModel } from './steady-model.ts';

/** Of releases: what sending a kept layer once more is spread over. */
const KEPT_HORIZON = 8;
/** Of a cost: what rounding may add or take. */
export const ROUNDING = 1e-9;

export function addedCost(model: SteadyModel, a: Group, b: Group): number {
  return costOfUnion(model, a, b) - a.cost - b.cost + resendCost(a) + resendCost(b);
}

/** A bound below that; closer than the one of `MergeBounds`, and several times as much work. */
export function leastAdded(model: SteadyModel, a: Group, b: Group): number {
  const added = leastCostOfUnion(model, a, b) - a.cost - b.cost;
  return added * (1 - ROUNDING) - ROUNDING * (a.cost + b.cost) + resendCost(a) + resendCost(b);
}

/**
 * The first place from `from` on whose number is below `limit`, or the length. Alone, although it is a line: most of planning is spent here, and
 * what is small is compiled soon, which matters because a plan is mostly made by a process that has just begun.
 */
export function nextBelow(numbers: Float64Array, from: number, limit: number): number {
  let at = from;
  while (at < numbers.length && numbers[at]! >= limit) at++;
  return at;
}

/** Groups by place, in flat arrays. */
export class MergeBounds {
  readonly #sizes: Float64Array;
  readonly #costs: Float64Array;
  readonly #risks: Float64Array;
  /** Infinite where there is no group. */
  readonly #resends: Float64Array;

  constructor(places: number) {
    this.#sizes = new Float64Array(places);
    this.#costs = new Float64Array(places);
    this.#risks = new Float64Array(places);
    this.#resends = new Float64Array(places).fill(Infinity);
  }

  set(place: number, group: Group | undefined): void {
    this.#sizes[place] = group?.size ?? 0;
    this.#costs[place] = group?.cost ?? 0;
    this.#risks[place] = group === undefined ? 0 : costOfByte(group);
    this.#resends[place] = group === undefined ? Infinity : resendCost(group);
  }

  /** Puts into `bounds` by place what merging its group and this one adds at least; infinite where there is none. */
  fill(bounds: Float64Array, group: Group): void {
    const sizes = this.#sizes;
    const costs = this.#costs;
    const risks = this.#risks;
    const resends = this.#resends;
    const { size, cost } = group;
    const risk = costOfByte(group);
    const resend = resendCost(group);
    for (let at = 0; at < bounds.length; at++) {
      const both = costs[at]! + cost;
      const union = (sizes[at]! + size) * (risks[at]! > risk ? risks[at]! : risk);
      bounds[at] = (union - costs[at]! - cost) * (1 - ROUNDING) - ROUNDING * both + resends[at]! + resend;
    }
  }
}

function costOfByte({ cost, size }: Group): number {
  return cost / Math.max(size, 1);
}

function resendCost({ kept, size }: Group): number {
  return kept === undefined ? 0 : size / KEPT_HORIZON;
}
