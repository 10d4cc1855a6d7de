/**
 * How large the closure of each path of a graph is: its own bytes and those of all that it refers to, directly or not.
 *
 * Steps: take 32 paths at a time as bits; go through all paths, references before those who refer to them; a path's word is its own
 * bit and the words of what it refers to. What a word then says is reached counts for its path. So each step is a few instructions for
 * each reference, and memory is a word for each path: with n paths and e references, (n/32)(n+e) steps, and one addition for each pair of
 * a path and one that it reaches.
 */
import { type ReferenceGraph, row } from './reference-graph.ts';

export interface ClosureSize {
  /** Bytes of the NARs. */
  readonly narSize: number;
  /** The path itself included. */
  readonly paths: number;
}

const BITS = 32;

/** By id. */
export function closureSizes({ infos, references, order }: ReferenceGraph): readonly ClosureSize[] {
  const sizes = infos.map(() => ({ narSize: 0, paths: 0 }));
  const words = new Int32Array(infos.length);
  const upward = order.toReversed();
  for (let start = 0; start < infos.length; start += BITS) {
    words.fill(0);
    for (let bit = 0; bit < BITS && start + bit < infos.length; bit++) words[start + bit] = 1 << bit;
    for (const id of upward) {
      let word = words[id]!;
      for (const target of row(references, id)) word |= words[target]!;
      words[id] = word;
      const size = sizes[id]!;
      for (let rest = word; rest !== 0; rest &= rest - 1) {
        size.narSize += infos[start + 31 - Math.clz32(rest & -rest)]!.narSize;
        size.paths += 1;
      }
    }
  }
  return sizes;
}
