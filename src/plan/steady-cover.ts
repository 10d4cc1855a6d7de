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
 * Cost, for n items, k groups and u units: 2 n k bounds, and a union of u/32 words for the quarter to two thirds that leave it open. Memory k^2.
 *
 * Deterministic: items come in an order that the caller fixes, of equal costs the earlier group wins, and sums have one order.
 *
 * Prior art: agglomerative clustering with a nearest-neighbour array (Anderberg 1973); moves of single elements (Kernighan, Lin 1970).
 * Merging all items from the bottom up, without the limit in step 1, was measured and is worse.
 */
import { GroupTable } from './group-table.ts';
import type { Group } from './steady-groups.ts';
import { refine } from './steady-refine.ts';
import type { SteadyModel } from './steady-model.ts';

export interface CoverOptions {
  /** Of groups, at least 1. */
  readonly limit: number;
}

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
