/**
 * Groups of paths, and what a layer of each costs: definitions in `steady-model.ts`.
 *
 * Large paths need many small ones, so that most sets that are united have all of the other already. A set that is that of one path's
 * closure has a unit that proves it, where it is in another set: a look at one bit instead of a count of all.
 */
import { countBits, unite, weightOfUnion } from './bit-sets.ts';
import type { SteadyModel } from './steady-model.ts';

/** What can happen to some paths: a set of units, and of recorded steps as two masks. Never changed in place. */
export interface Events {
  readonly units: Int32Array;
  readonly low: number;
  readonly high: number;
  /** A unit that no set has without having all of this one; -1 where none is known. */
  readonly proof: number;
  /** Of the units. */
  readonly weight: number;
  /** Of any of the units and, where there is a record, the steps. */
  readonly risk: number;
}

/** Paths that share a layer. Never changed in place. */
export interface Group {
  readonly ids: readonly number[];
  /** Bytes of narSize. */
  readonly size: number;
  readonly events: Events;
  /** Expected bytes of the next release: size times risk. */
  readonly cost: number;
  /** Place in the previous image, of a layer that is kept as it is. */
  readonly kept: number | undefined;
  /** It holds the paths of a kept layer, which stay together. */
  readonly isWhole: boolean;
}

/** The group of these paths; `ids` is not empty. */
export function groupOf(model: SteadyModel, ids: readonly number[], kept?: number): Group {
  const size = ids.reduce((sum, id) => sum + model.graph.infos[id]!.narSize, 0);
  const events = eventsOf(model, ids);
  return { ids, size, events, cost: size * events.risk, kept, isWhole: kept !== undefined };
}

export function mergeGroups(model: SteadyModel, a: Group, b: Group): Group {
  const size = a.size + b.size;
  const events = uniteEvents(model, a.events, b.events);
  return {
    ids: [...a.ids, ...b.ids],
    size,
    events,
    cost: size * events.risk,
    kept: undefined,
    isWhole: a.isWhole || b.isWhole,
  };
}

/** Expected bytes of a layer of both. */
export function costOfUnion(model: SteadyModel, a: Group, b: Group): number {
  return (a.size + b.size) * riskOfUnion(model, a.events, b.events);
}

/**
 * A bound below that, which takes a few instructions: what changes each group's first path is in the union, too. Rounding may lift it a
 * little.
 */
export function leastCostOfUnion(model: SteadyModel, a: Group, b: Group): number {
  const withB = a.events.weight + missingRate(model, a, b.ids[0]!);
  const withA = b.events.weight + missingRate(model, b, a.ids[0]!);
  const weight = withA > withB ? withA : withB;
  return (a.size + b.size) * riskOf(model, weight, stepsOfUnion(model, a.events, b.events));
}

export function noEvents(model: SteadyModel): Events {
  return { units: new Int32Array(model.words), low: 0, high: 0, proof: -1, weight: 0, risk: 0 };
}

export function uniteEvents(model: SteadyModel, a: Events, b: Events): Events {
  if (has(a.units, b.proof)) return a;
  if (has(b.units, a.proof)) return b;
  const units = a.units.slice();
  unite(units, b.units);
  return eventsFrom(model, units, { low: a.low | b.low, high: a.high | b.high, proof: -1 });
}

export function riskOfUnion(model: SteadyModel, a: Events, b: Events): number {
  if (has(a.units, b.proof)) return a.risk;
  if (has(b.units, a.proof)) return b.risk;
  return riskOf(model, weightOfUnion(model.runs, a.units, b.units), stepsOfUnion(model, a, b));
}

/** @param steps recorded ones in which it happened */
export function riskOf(model: SteadyModel, weight: number, steps: number): number {
  const expected = weight / (weight + model.half);
  return model.steps === 0 ? expected : model.share * expected + ((1 - model.share) * steps) / model.steps;
}

function stepsOfUnion(model: SteadyModel, a: Events, b: Events): number {
  return model.steps === 0 ? 0 : countBits(a.low | b.low) + countBits(a.high | b.high);
}

/** Of the unit of a path, if the group has it not. */
function missingRate({ unitOf, rates }: SteadyModel, { events }: Group, id: number): number {
  return has(events.units, unitOf[id]!) ? 0 : rates[id]!;
}

function has(units: Int32Array, unit: number): boolean {
  return unit >= 0 && ((units[unit >>> 5]! >>> (unit & 31)) & 1) === 1;
}

function eventsOf(model: SteadyModel, ids: readonly number[]): Events {
  const first = ids[0]!;
  let low = model.low[first]!;
  let high = model.high[first]!;
  if (ids.length === 1) {
    const proof = model.isAlone[first] === 1 ? model.unitOf[first]! : -1;
    return eventsFrom(model, model.events[first]!, { low, high, proof });
  }
  const units = model.events[first]!.slice();
  for (let at = 1; at < ids.length; at++) {
    unite(units, model.events[ids[at]!]!);
    low |= model.low[ids[at]!]!;
    high |= model.high[ids[at]!]!;
  }
  return eventsFrom(model, units, { low, high, proof: -1 });
}

/** @param units kept, not copied */
function eventsFrom(
  model: SteadyModel,
  units: Int32Array,
  { low, high, proof }: Pick<Events, 'low' | 'high' | 'proof'>,
): Events {
  const weight = weightOfUnion(model.runs, units, units);
  return { units, low, high, proof, weight, risk: riskOf(model, weight, countBits(low) + countBits(high)) };
}
