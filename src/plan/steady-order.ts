/**
 * The order of groups from bottom to top: a client unpacks again every layer above the lowest one that changed.
 *
 * Definitions
 *   expected    the sum over layers of their size times the risk that any layer up to and including them changes
 *   fixed       layers at the bottom whose order is that of the previous image: what is unpacked stays valid
 *
 * Steps
 *   1. Sort by risk / (1 - risk) / size, which is best where layers change independently (Smith 1956); ties by key.
 *   2. Swap neighbours above the fixed ones while that lowers the expected bytes: what covers the same events belongs together, and a
 *      large layer may sink below a small one that changes less.
 *
 * Cost: two unions for each pair of neighbours in at most 200 rounds; 30 are usual. Deterministic: see `steady-model.ts`.
 */
import { compareText } from './reference-graph.ts';
import { type Group, riskOfUnion, type SteadyModel, unite } from './steady-model.ts';

const MAX_ROUNDS = 200;
/** Of expected bytes: gains below it are rounding. */
const LEAST_GAIN = 1e-9;

/** All groups: `fixed` as they are, then `free` in a new order. */
export function orderGroups(
  model: SteadyModel,
  { fixed = [], free }: { readonly fixed?: readonly Group[]; readonly free: readonly Group[] },
): readonly Group[] {
  const order = sortByRisk(model, free);
  const bottom = fixed.reduce<Group>(pile, nothing(model));
  let swapped = true;
  for (let round = 0; round < MAX_ROUNDS && swapped; round++) swapped = swapNeighbours(model, order, bottom);
  return [...fixed, ...order];
}

function sortByRisk(model: SteadyModel, groups: readonly Group[]): Group[] {
  const keyed = groups.map((group) => {
    const risk = riskOfUnion(model, group, group);
    // A group of size 0 costs nothing wherever it is.
    return { group, odds: risk / (1 - risk) / Math.max(group.size, 1), key: leastKey(model, group) };
  });
  keyed.sort((a, b) => (a.odds === b.odds ? compareText(a.key, b.key) : a.odds - b.odds));
  return keyed.map(({ group }) => group);
}

function leastKey({ names }: SteadyModel, { ids }: Group): string {
  return ids.map((id) => names.keys[id]!).reduce((a, b) => (compareText(b, a) < 0 ? b : a));
}

/** One round, from the bottom; changes `order`. */
function swapNeighbours(model: SteadyModel, order: Group[], bottom: Group): boolean {
  let below = bottom;
  let swapped = false;
  for (let at = 0; at + 1 < order.length; at++) {
    const [lower, upper] = [order[at]!, order[at + 1]!];
    if (isBetterSwapped(model, below, [lower, upper])) {
      [order[at], order[at + 1]] = [upper, lower];
      swapped = true;
    }
    below = pile(below, order[at]!);
  }
  return swapped;
}

/** Whether that lowers the expected bytes of the two layers above what is `below` them. */
function isBetterSwapped(model: SteadyModel, below: Group, [lower, upper]: readonly [Group, Group]): boolean {
  const both = riskOfUnion(model, pile(below, lower), upper);
  const asIs = lower.size * riskOfUnion(model, below, lower) + upper.size * both;
  const swapped = upper.size * riskOfUnion(model, below, upper) + lower.size * both;
  return swapped < asIs * (1 - LEAST_GAIN);
}

/** What can change up to a layer; paths and cost are of no use here and left out. */
function pile(below: Group, { events, low, high }: Group): Group {
  const united = Int32Array.from(below.events);
  unite(united, events);
  return {
    ids: [],
    size: 0,
    events: united,
    low: below.low | low,
    high: below.high | high,
    cost: 0,
    isWhole: false,
  };
}

function nothing({ words }: SteadyModel): Group {
  return { ids: [], size: 0, events: new Int32Array(words), low: 0, high: 0, cost: 0, isWhole: false };
}
