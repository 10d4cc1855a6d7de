/** The order of paths within a layer: by name, then by path. */
import { describePath } from './describe-plan.ts';
import type { ReferenceGraph } from './reference-graph.ts';
import { rankTexts } from './text-order.ts';

/** Compares ids of the graph. */
export function byName({ infos }: ReferenceGraph): (a: number, b: number) => number {
  const ranks = rankTexts(infos.map(({ path }) => describePath(path)));
  // Ids ascend by path.
  return (a, b) => ranks[a]! - ranks[b]! || a - b;
}
