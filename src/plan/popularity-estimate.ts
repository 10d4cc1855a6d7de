/**
 * Popularity in floating point, with a bound of the error.
 *
 * Definitions
 *   estimate    fraction * 2^(512 * exponent), 1 <= fraction < 2^512: a double whose range has no end
 *   rank        a path's place in the order of walks(v) ascending. A path has at least as many walks as each ancestor, in
 *               floating point too, so ranks are a topological order in which magnitudes never fall.
 *   block       up to 128 consecutive ranks of equal exponent (`ancestor-blocks.ts`)
 *
 * Steps
 *   1. walks(v) = the sum over its referrers, or 1 where nothing refers to it; rank the paths.
 *   2. For each block, a table of 256 sums for each 8 of its paths turns the set of a path's ancestors into the sum of
 *      their walks.
 *
 * Cost: n/128 passes over the m references, n/8 additions a path; O(n + m) memory.
 *
 * Error: all terms are positive, so a relative error is at most the number of roundings that a term goes through, times
 * 2^-53: at most m in step 1 (each reference lies on a walk at most once) and n in step 2. Integers below
 * 2^53 are never rounded, and powers of two scale exactly: such an estimate is the exact count.
 *
 * Deterministic: the order of additions follows from ids and references alone.
 */
import {
  ancestorBlocks,
  type Block,
  BLOCK_SIZE,
  invert,
  type RankedGraph,
  rankGraph,
  TABLE_SIZE,
  WORDS,
} from './ancestor-blocks.ts';
import { type ReferenceGraph, row } from './reference-graph.ts';

/** By id. */
export interface Estimates {
  readonly fractions: Float64Array;
  readonly exponents: Int32Array;
  /** Bound of the relative error of estimates that are not exact. */
  readonly tolerance: number;
}

interface EstimatedBlock extends Block {
  readonly exponent: number;
}

const STEP = 2 ** 512;
const EXACT_BELOW = 2 ** 53;

export function estimatePopularity(graph: ReferenceGraph): Estimates {
  const walks = estimateWalks(graph);
  const ranked = rankByWalks(graph, walks);
  const sums = sumAncestors(ranked, walks);
  return addEstimates(walks, sums);
}

/** Whether the exact count of `a` must be above that of `b`. */
export function isCertainlyGreater(estimates: Estimates, a: number, b: number): boolean {
  const { fractions, exponents, tolerance } = estimates;
  const steps = exponents[a]! - exponents[b]!;
  if (steps !== 0)
    return steps > 1 || (steps === 1 && fractions[a]! > (fractions[b]! / STEP) * (1 + tolerance));
  return fractions[a]! > fractions[b]! * (isExact(estimates, a) ? 1 : 1 + tolerance);
}

/** Whether the estimate of `id` is its count. */
export function isExact({ fractions, exponents }: Estimates, id: number): boolean {
  return exponents[id] === 0 && fractions[id]! < EXACT_BELOW;
}

function estimateWalks(graph: ReferenceGraph): Estimates {
  const walks = emptyEstimates(graph);
  for (const id of graph.order) {
    const referrers = row(graph.referrers, id);
    if (referrers.length === 0) walks.fractions[id] = 1;
    for (const referrer of referrers) {
      add(walks, id, walks.fractions[referrer]!, walks.exponents[referrer]!);
    }
    normalise(walks, id);
  }
  return walks;
}

function emptyEstimates({ infos, references }: ReferenceGraph): Estimates {
  const size = infos.length;
  // Four times the bound: both sides of a comparison err, and rounding errors compound a little.
  const tolerance = (4 * (size + references.targets.length + 16)) / EXACT_BELOW;
  return { fractions: new Float64Array(size), exponents: new Int32Array(size), tolerance };
}

/** Leaves the sum unnormalised: below 2^512 times the number of additions. */
function add({ fractions, exponents }: Estimates, id: number, fraction: number, exponent: number): void {
  const steps = exponent - exponents[id]!;
  if (steps === 0) fractions[id]! += fraction;
  else if (steps > 0) {
    fractions[id] = scaledDown(fractions[id]!, steps) + fraction;
    exponents[id] = exponent;
  } else fractions[id]! += scaledDown(fraction, -steps);
}

/** What is two steps smaller is below any rounding. */
function scaledDown(fraction: number, steps: number): number {
  return steps === 1 ? fraction / STEP : 0;
}

function normalise({ fractions, exponents }: Estimates, id: number): void {
  if (fractions[id]! < STEP) return;
  fractions[id]! /= STEP;
  exponents[id]!++;
}

function rankByWalks(graph: ReferenceGraph, { fractions, exponents }: Estimates): RankedGraph {
  const place = invert(graph.order);
  const idOfRank = graph.order
    .slice()
    .sort((a, b) => exponents[a]! - exponents[b]! || fractions[a]! - fractions[b]! || place[a]! - place[b]!);
  return rankGraph(graph, idOfRank);
}

function sumAncestors(graph: RankedGraph, walks: Estimates): Estimates {
  const size = graph.idOfRank.length;
  const fractions = new Float64Array(size);
  const exponents = new Int32Array(size);
  const tables = new Float64Array(4 * WORDS * TABLE_SIZE);
  for (const { block, sets } of ancestorBlocks(graph, blocksOf(graph.idOfRank, walks))) {
    fillTables(tables, graph.idOfRank.subarray(block.first, block.end), walks.fractions);
    addBlock({ fractions, exponents }, block, { sets, tables });
  }
  return byId(graph.idOfRank, { fractions, exponents, tolerance: walks.tolerance });
}

function* blocksOf(idOfRank: Int32Array, { exponents }: Estimates): Generator<EstimatedBlock> {
  for (let first = 0; first < idOfRank.length;) {
    const exponent = exponents[idOfRank[first]!]!;
    const limit = Math.min(first + BLOCK_SIZE, idOfRank.length);
    let end = first + 1;
    while (end < limit && exponents[idOfRank[end]!] === exponent) end++;
    yield { first, end, exponent };
    first = end;
  }
}

/** Entry `TABLE_SIZE * t + s`: the sum over the bits of s of the block's paths 8t to 8t + 7. */
function fillTables(tables: Float64Array, ids: Int32Array, values: Float64Array): void {
  for (let at = 0; at < tables.length; at++) {
    const set = at % TABLE_SIZE;
    const id = ids[8 * Math.floor(at / TABLE_SIZE) + 31 - Math.clz32(set & -set)];
    const lowest = set === 0 || id === undefined ? 0 : values[id]!;
    tables[at] = set === 0 ? 0 : tables[at - set + (set & (set - 1))]! + lowest;
  }
}

/** By rank. */
function addBlock(
  { fractions, exponents }: Pick<Estimates, 'fractions' | 'exponents'>,
  { first, exponent }: EstimatedBlock,
  { sets, tables }: { readonly sets: Int32Array; readonly tables: Float64Array },
): void {
  for (let rank = first; rank < fractions.length; rank++) {
    let sum = 0;
    for (let word = 0; word < WORDS; word++) sum += sumOfWord(tables, word, sets[WORDS * rank + word]!);
    if (sum === 0) continue;
    if (exponents[rank] !== exponent) {
      fractions[rank] = scaledDown(fractions[rank]!, exponent - exponents[rank]!);
      exponents[rank] = exponent;
    }
    fractions[rank]! += sum;
  }
}

function sumOfWord(tables: Float64Array, word: number, set: number): number {
  const table = 4 * TABLE_SIZE * word;
  return (
    tables[table + (set & 255)]! +
    tables[table + TABLE_SIZE + ((set >>> 8) & 255)]! +
    tables[table + 2 * TABLE_SIZE + ((set >>> 16) & 255)]! +
    tables[table + 3 * TABLE_SIZE + (set >>> 24)]!
  );
}

function byId(idOfRank: Int32Array, ranked: Estimates): Estimates {
  const fractions = new Float64Array(idOfRank.length);
  const exponents = new Int32Array(idOfRank.length);
  for (const [rank, id] of idOfRank.entries()) {
    fractions[id] = ranked.fractions[rank]!;
    exponents[id] = ranked.exponents[rank]!;
  }
  return { fractions, exponents, tolerance: ranked.tolerance };
}

function addEstimates(sums: Estimates, others: Estimates): Estimates {
  const total = { ...sums, fractions: sums.fractions.slice(), exponents: sums.exponents.slice() };
  for (let id = 0; id < total.fractions.length; id++) {
    add(total, id, others.fractions[id]!, others.exponents[id]!);
    normalise(total, id);
  }
  return total;
}
