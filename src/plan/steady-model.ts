/**
 * How likely a layer is to change: the model that the steady planners minimise by.
 *
 * Definitions
 *   unit        paths that a release changes together (`steady-names.ts`)
 *   events(v)   the units whose change gives v another store path: for an input-addressed path the units of its closure;
 *               a content-addressed path is named by its own contents, and only its own unit counts, for it and for its referrers
 *   weight(S)   sum of rates over a set of units S
 *   risk(S)     the probability that a release changes any of S: weight / (weight + half), as if the size of releases were spread
 *               exponentially; with a record of changes, half of it is the share of past steps that changed any of S
 *
 * A layer is sent again when any of its paths changes: its expected cost is its size times the risk of the union of its paths'
 * events. So a path costs nothing in a layer whose events already cover its own.
 *
 * Sets are rows of bits. Units of one rate share 32-bit words, so that a weight is a few counts of bits times a rate. Cost: n rows of
 * u/32 words for n paths and u units; a union's weight takes u/32 steps.
 *
 * Deterministic: units and rates are ordered by key and not by store path, so that the same names give the same sums; nothing but
 * +, * and / of IEEE 754 is used.
 */
import { countBits, unite, type WeightRuns } from './bit-sets.ts';
import { type ChangeRecord, recordedMasks, type StepMask } from './change-record.ts';
import { type ReferenceGraph, row } from './reference-graph.ts';
import { hashText, nameSteadily, priorRate, type SteadyNames } from './steady-names.ts';
import { sortTexts } from './text-order.ts';

export interface SteadyModel {
  readonly graph: ReferenceGraph;
  readonly names: SteadyNames;
  /** All ids, descending by size, ties by key. */
  readonly largestFirst: readonly number[];
  /** By id: 32-bit words of the path's events; a view. */
  readonly events: readonly Int32Array[];
  /** By id: the bit of the path's own unit, and its rate. */
  readonly unitOf: Int32Array;
  readonly rates: Float64Array;
  /** By id: 1 where no other path is of that unit. Whatever set has it then has all events of the path. */
  readonly isAlone: Uint8Array;
  /** By id: the recorded steps in which any event happened, as two masks of 26 bits. */
  readonly low: Int32Array;
  readonly high: Int32Array;
  readonly words: number;
  /** Rates ascending. */
  readonly runs: WeightRuns;
  /** The weight of a risk of one half. */
  readonly half: number;
  /** Recorded steps; 0 without a record. */
  readonly steps: number;
  /** Of the model in the risk; the rest is the record's. 1 without a record. */
  readonly share: number;
}

export const MAX_UNITS = 8192;
const DUST_UNITS = 64;
/** Steps that a name's own history needs to count as much as what is usual. */
const PRIOR_STEPS = 8;
/** Of the rates of all: roots change with nearly every release. */
const ROOT_RATE = 1 / 32;
/** Between one rate of the model and the next. */
const RATE_STEP = 1.25;
/** Steps after which the record's share of the risk is one half. */
const TRUSTED_STEPS = 16;

/** @param record with what happened up to this closure */
export function steadyModel(graph: ReferenceGraph, record?: ChangeRecord): SteadyModel {
  const named = nameSteadily(graph.infos);
  const largestFirst = Array.from(graph.infos.keys()).sort(bySize(graph, named));
  const names = shareDustUnits(named, largestFirst);
  const units = indexUnits(graph, names, record);
  const events = eventRows(graph, units.unitOf, units.words);
  const masks = pathMasks(graph, names, record);
  const steps = record?.steps ?? 0;
  const share = Math.max(0.5, TRUSTED_STEPS / (TRUSTED_STEPS + steps));
  return { graph, names, largestFirst, events, ...masks, ...units, steps, share };
}

/** Descending by size, ties by key. */
export function bySize(
  { infos }: ReferenceGraph,
  { keyRanks }: SteadyNames,
): (a: number, b: number) => number {
  return (a, b) => infos[b]!.narSize - infos[a]!.narSize || keyRanks[a]! - keyRanks[b]!;
}

/** Beyond `MAX_UNITS` paths the smallest share a few units, so that memory grows with n and not with its square. */
function shareDustUnits(names: SteadyNames, largestFirst: readonly number[]): SteadyNames {
  if (largestFirst.length <= MAX_UNITS) return names;
  const units = [...names.units];
  for (const id of largestFirst.slice(MAX_UNITS)) {
    units[id] = `dust#${hashText(names.sources[id]!) % DUST_UNITS}`;
  }
  return { ...names, units };
}

interface UnitBits {
  /** By id. */
  readonly unitOf: Int32Array;
  readonly rates: Float64Array;
  readonly isAlone: Uint8Array;
  readonly words: number;
  readonly runs: WeightRuns;
  readonly half: number;
}

/** Gives every unit a bit, units of one rate side by side, each rate beginning a new word. */
function indexUnits(graph: ReferenceGraph, { sources, units }: SteadyNames, record?: ChangeRecord): UnitBits {
  const members = Map.groupBy(units.keys(), (id) => units[id]!);
  const rates = unitRates(members, { graph, sources }, record);
  const names = sortTexts(members.keys());
  const byRate = Map.groupBy(names, (name) => rates.get(name)!);
  const unitOf = new Int32Array(units.length);
  const rateOf = new Float64Array(units.length);
  const isAlone = new Uint8Array(units.length);
  const weights = Float64Array.from(byRate.keys()).sort();
  const ends = new Int32Array(weights.length);
  let [end, total] = [0, 0];
  for (const [run, rate] of weights.entries()) {
    const sharing = byRate.get(rate)!;
    for (const [at, name] of sharing.entries()) {
      const ids = members.get(name)!;
      for (const id of ids) {
        unitOf[id] = 32 * end + at;
        rateOf[id] = rate;
        isAlone[id] = ids.length === 1 ? 1 : 0;
      }
    }
    end += Math.ceil(sharing.length / 32);
    total += sharing.length * rate;
    ends[run] = end;
  }
  return {
    unitOf,
    rates: rateOf,
    isAlone,
    words: end,
    runs: { ends, weights },
    half: record === undefined ? powerOfTwoNear(total) / 2 : 1,
  };
}

/** Without a record relative rates, with one expected changes for each step. */
function unitRates(
  members: ReadonlyMap<string, readonly number[]>,
  { graph, sources }: { readonly graph: ReferenceGraph; readonly sources: readonly string[] },
  record: ChangeRecord | undefined,
): ReadonlyMap<string, number> {
  const rootRate = powerOfTwoNear(members.size) * ROOT_RATE;
  const isRoot = (id: number): boolean => row(graph.referrers, id).length === 0;
  const prior = (id: number): number => (isRoot(id) ? Math.max(rootRate, 1) : priorRate(sources[id]!));
  const priors = new Map(Array.from(members, ([unit, ids]) => [unit, Math.max(...ids.map(prior))]));
  if (record === undefined) return priors;
  const masks = recordedMasks(record);
  const counts = new Map(Array.from(members, ([unit, ids]) => [unit, countSteps(ids, sources, masks)]));
  const sum = (values: Iterable<number>): number => Array.from(values).reduce((a, b) => a + b, 0);
  const usual = ((sum(counts.values()) + 1) / record.steps / sum(priors.values())) * PRIOR_STEPS;
  return new Map(
    Array.from(priors, ([unit, rate]) => {
      return [unit, roundRate((usual * rate + counts.get(unit)!) / (PRIOR_STEPS + record.steps))];
    }),
  );
}

function countSteps(
  ids: readonly number[],
  sources: readonly string[],
  masks: ReadonlyMap<string, StepMask>,
): number {
  let [low, high] = [0, 0];
  for (const id of ids) {
    const mask = masks.get(sources[id]!);
    low |= mask?.low ?? 0;
    high |= mask?.high ?? 0;
  }
  return countBits(low) + countBits(high);
}

/** Few different rates make few runs of words. */
function roundRate(rate: number): number {
  let rounded = 1;
  while (rounded > rate) rounded /= RATE_STEP;
  return rounded;
}

/** A sum that changes little from release to release must not move every risk a little. */
function powerOfTwoNear(value: number): number {
  let power = 1;
  while (power * 1.5 < value) power *= 2;
  return power;
}

function eventRows(graph: ReferenceGraph, unitOf: Int32Array, words: number): readonly Int32Array[] {
  const rows = graph.infos.map(() => new Int32Array(0));
  const all = new Int32Array(words * graph.infos.length);
  for (let at = graph.order.length - 1; at >= 0; at--) {
    const id = graph.order[at]!;
    const own = all.subarray(words * at, words * (at + 1));
    own[unitOf[id]! >>> 5]! |= 1 << (unitOf[id]! & 31);
    // References come after their referrers in the order, so that their rows are complete.
    if (graph.infos[id]!.ca === undefined) {
      for (const reference of row(graph.references, id)) unite(own, rows[reference]!);
    }
    rows[id] = own;
  }
  return rows;
}

function pathMasks(
  graph: ReferenceGraph,
  { sources }: SteadyNames,
  record: ChangeRecord | undefined,
): { readonly low: Int32Array; readonly high: Int32Array } {
  const low = new Int32Array(sources.length);
  const high = new Int32Array(sources.length);
  if (record === undefined) return { low, high };
  const masks = recordedMasks(record);
  for (let at = graph.order.length - 1; at >= 0; at--) {
    const id = graph.order[at]!;
    const own = masks.get(sources[id]!);
    const counted = graph.infos[id]!.ca === undefined ? row(graph.references, id) : [];
    low[id] = own?.low ?? 0;
    high[id] = own?.high ?? 0;
    for (const reference of counted) {
      low[id] |= low[reference]!;
      high[id] |= high[reference]!;
    }
  }
  return { low, high };
}
