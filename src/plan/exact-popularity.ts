/**
 * Popularity as exact integers, for the paths whose count is shown or decides a close call.
 *
 * Steps: count the walks to every path; then, for each block of ancestors (`ancestor-blocks.ts`), a table of 256 sums for each 8 of
 * its paths turns the set of a path's ancestors into the sum of their walks.
 *
 * Cost, for n paths, m references and k wanted ones: n/128 passes over the references, 32 n + k n/8 additions of long integers.
 */
import {
  ancestorBlocks,
  type Block,
  BLOCK_SIZE,
  invert,
  rankGraph,
  TABLE_SIZE,
  WORDS,
} from './ancestor-blocks.ts';
import { type ReferenceGraph, row } from './reference-graph.ts';

/** The popularity of each of `ids`, in their order; `popularity.ts` defines it. */
export function exactPopularities(graph: ReferenceGraph, ids: readonly number[]): readonly bigint[] {
  if (ids.length === 0) return [];
  const walks = countWalks(graph);
  const rankOf = invert(graph.order);
  const ranks = ids.map((id) => rankOf[id]!);
  const sums = ids.map((id) => walks[id]!);
  for (const { block, sets } of ancestorBlocks(rankGraph(graph, graph.order), blocksOf(walks.length))) {
    const values = Array.from(graph.order.subarray(block.first, block.end), (id) => walks[id]!);
    addBlock(sums, { ranks, sets, tables: sumTables(values) });
  }
  return sums;
}

function countWalks(graph: ReferenceGraph): readonly bigint[] {
  const walks = Array.from(graph.infos, () => 0n);
  for (const id of graph.order) {
    const referrers = row(graph.referrers, id);
    let sum = referrers.length === 0 ? 1n : 0n;
    for (const referrer of referrers) sum += walks[referrer]!;
    walks[id] = sum;
  }
  return walks;
}

function* blocksOf(size: number): Generator<Block> {
  for (let first = 0; first < size; first += BLOCK_SIZE)
    yield { first, end: Math.min(first + BLOCK_SIZE, size) };
}

/** Table t has at s the sum over the bits of s of the values 8t to 8t + 7. */
function sumTables(values: readonly bigint[]): readonly (readonly bigint[])[] {
  return Array.from({ length: Math.ceil(values.length / 8) }, (_, table) => {
    const sums = [0n];
    for (const value of values.slice(8 * table, 8 * table + 8)) {
      for (let set = 0, known = sums.length; set < known; set++) sums.push(sums[set]! + value);
    }
    return sums;
  });
}

function addBlock(
  sums: bigint[],
  given: {
    readonly ranks: readonly number[];
    readonly sets: Int32Array;
    readonly tables: readonly (readonly bigint[])[];
  },
): void {
  const { ranks, sets, tables } = given;
  for (const [place, rank] of ranks.entries()) {
    for (const [index, table] of tables.entries()) {
      const set = (sets[WORDS * rank + (index >>> 2)]! >>> (8 * (index & 3))) & (TABLE_SIZE - 1);
      if (set !== 0) sums[place]! += table[set]!;
    }
  }
}
