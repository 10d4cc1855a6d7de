/** Sets as rows of bits in 32-bit words, and their weights. The inner loops of all planning, and flat for that reason. */

/** Runs of words whose members weigh the same. */
export interface WeightRuns {
  /** Exclusive, ascending; the last one is the number of words. */
  readonly ends: Int32Array;
  readonly weights: Float64Array;
}

export function unite(target: Int32Array, source: Int32Array): void {
  for (let at = 0; at < target.length; at++) target[at]! |= source[at]!;
}

export function countBits(word: number): number {
  let bits = word - ((word >>> 1) & 0x55555555);
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333);
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/** Of the union of two sets. */
export function weightOfUnion({ ends, weights }: WeightRuns, a: Int32Array, b: Int32Array): number {
  let weight = 0;
  let at = 0;
  for (let run = 0; run < ends.length; run++) {
    const end = ends[run]!;
    let count = 0;
    for (; at < end; at++) {
      let bits = a[at]! | b[at]!;
      bits -= (bits >>> 1) & 0x55555555;
      bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333);
      count += Math.imul((bits + (bits >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
    }
    weight += count * weights[run]!;
  }
  return weight;
}
