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
 * Cost: three unions for each pair of neighbours, and for each that a swap touched in at most 200 rounds; 30 are usual. Deterministic: see
 * `steady-model.ts`.
 */
import { type Events, type Group, noEvents, riskOfUnion, uniteEvents } from './steady-groups.ts';
import type { SteadyModel } from './steady-model.ts';

const MAX_ROUNDS = 200;
/** Of expected bytes: gains below it are rounding. */
const LEAST_GAIN = 1e-9;

/** What is swapped: changed from round to round. */
interface Stack {
  readonly order: Group[];
  /** What can happen to all that is below each place. */
  readonly below: Events[];
  /** 1 where a place and the one above it were compared, and nothing has changed since that matters to them. */
  readonly isSettled: Uint8Array;
}

/** All groups: `fixed` as they are, then `free` in a new order. */
export function orderGroups(
  model: SteadyModel,
  { fixed = [], free }: { readonly fixed?: readonly Group[]; readonly free: readonly Group[] },
): readonly Group[] {
  const order = sortByRisk(model, free);
  const pile = (all: Events, { events }: Group): Events => uniteEvents(model, all, events);
  const below = [fixed.reduce(pile, noEvents(model))];
  for (const [at, group] of order.entries()) below.push(pile(below[at]!, group));
  const stack = { order, below, isSettled: new Uint8Array(order.length) };
  let swapped = true;
  for (let round = 0; round < MAX_ROUNDS && swapped; round++) swapped = swapNeighbours(model, stack);
  return [...fixed, ...order];
}

function sortByRisk({ names }: SteadyModel, groups: readonly Group[]): Group[] {
  const keyed = groups.map((group) => {
    // A group of size 0 costs nothing wherever it is.
    const { risk } = group.events;
    const odds = risk / (1 - risk) / Math.max(group.size, 1);
    return {
      group,
      odds,
      key: group.ids.reduce((least, id) => Math.min(least, names.keyRanks[id]!), Infinity),
    };
  });
  keyed.sort((a, b) => (a.odds === b.odds ? a.key - b.key : a.odds - b.odds));
  return keyed.map(({ group }) => group);
}

/** One round, from the bottom. */
function swapNeighbours(model: SteadyModel, { order, below, isSettled }: Stack): boolean {
  let swapped = false;
  for (let at = 0; at + 1 < order.length; at++) {
    if (isSettled[at] === 1) continue;
    const [lower, upper] = [order[at]!, order[at + 1]!];
    isSettled[at] = 1;
    if (!isBetterSwapped(model, [below[at]!, below[at + 1]!], [lower, upper])) continue;
    [order[at], order[at + 1]] = [upper, lower];
    below[at + 1] = uniteEvents(model, below[at]!, upper.events);
    isSettled.fill(0, Math.max(at - 1, 0), at + 2);
    swapped = true;
  }
  return swapped;
}

/** Whether that lowers the expected bytes of the two layers. @param below what is below each of them */
function isBetterSwapped(
  model: SteadyModel,
  [below, withLower]: readonly [Events, Events],
  [lower, upper]: readonly [Group, Group],
): boolean {
  const both = riskOfUnion(model, withLower, upper.events);
  const asIs = lower.size * withLower.risk + upper.size * both;
  const swapped = upper.size * riskOfUnion(model, below, upper.events) + lower.size * both;
  return swapped < asIs * (1 - LEAST_GAIN);
}
