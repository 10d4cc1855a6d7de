/**
 * Grouping content-addressed paths: each changes by itself, and nothing tells of a small one when.
 *
 * Definitions
 *   family   the paths of one unit (`steady-names.ts`); its token is that of its least source
 *   class    of a family: the k with 4^k <= size < 4^(k+1)
 *   tree     its root has all families. A *rest* of all below 4^k splits into class k - 1 and the rest below it; a class splits by
 *            one bit after the other of the token's hash, then of the source's hash
 *   cost     of a part: its size times its risk, both over all its families
 *
 * Steps: begin with the root; split the part whose split saves the most cost, until there are as many as the limit allows. Splits with
 * an empty side are passed over.
 *
 * That large and small, stable and volatile paths should not share layers follows from the cost. That all borders are fixed numbers,
 * powers of four and bits of hashes, makes the plan steady without history: a path that comes, goes or grows touches its own part, and
 * at most moves the last few splits. Clustering by the same cost was measured: better parts, but each release shuffles them.
 *
 * Cost: O(n log n) for n paths, and a walk through k parts for each of k splits.
 *
 * Deterministic: families are ordered by key; of equal savings the first part is split.
 *
 * Prior art: tries (Fredkin 1960); consistent hashing (Karger et al. 1997).
 */
import type { SteadyModel } from './steady-model.ts';
import { familyToken, hashText, priorRate } from './steady-names.ts';

interface Family {
  readonly ids: readonly number[];
  readonly size: number;
  readonly rate: number;
  readonly sizeClass: number;
  /** Of the token and of the source, 32 bits each. */
  readonly hashes: readonly [number, number];
}

/** Some of the families, and how they would be split. */
interface Part {
  readonly families: readonly Family[];
  readonly split: Split | undefined;
}

interface Split {
  readonly sides: readonly [Side, Side];
  /** Of expected bytes; 0 or more, but for rounding. */
  readonly saving: number;
}

interface Side {
  readonly families: readonly Family[];
  readonly border: Border;
}

/** How a part is to be split: into classes below `sizeClass`, or from bit `bit` of the hashes. */
type Border = { readonly sizeClass: number } | { readonly bit: number };

const HASH_BITS = 64;
const TOP_CLASS = 27;
/** Smaller paths (4^7 bytes) are as likely to change as those of this class. */
const LEAST_CLASS = 7;
/** Rate of a class over the rate of the one below; measured. */
const CLASS_RATE = 1.5;

/** At most `limit` groups of `ids`, at least 1; none is empty. */
export function divideFamilies(
  model: SteadyModel,
  ids: readonly number[],
  limit: number,
): readonly (readonly number[])[] {
  const families = familiesOf(model, ids);
  if (families.length === 0) return [];
  const half = families.reduce((sum, { rate }) => sum + rate, 0) / 2;
  const parts = [partOf({ families, border: { sizeClass: TOP_CLASS } }, half)];
  while (parts.length < limit) {
    const best = mostSaving(parts);
    if (best === undefined) break;
    parts.splice(best, 1, ...parts[best]!.split!.sides.map((side) => partOf(side, half)));
  }
  return parts.map((part) => part.families.flatMap((family) => family.ids));
}

/** By least key; each family's paths by key. */
function familiesOf({ graph, names }: SteadyModel, ids: readonly number[]): readonly Family[] {
  const sorted = [...ids].sort((a, b) => names.keyRanks[a]! - names.keyRanks[b]!);
  return Array.from(Map.groupBy(sorted, (id) => names.units[id]!).values(), (members) => {
    const sizes = members.map((id) => graph.infos[id]!.narSize);
    const size = sizes.reduce((sum, one) => sum + one, 0);
    const rates = members.map((id, at) => priorRate(names.sources[id]!) * sizeRate(sizes[at]!));
    const source = names.sources[members[0]!]!;
    const hashes = [hashText(familyToken(source)), hashText(`${source}!`)] as const;
    return { ids: members, size, rate: Math.max(...rates), sizeClass: sizeClassOf(size), hashes };
  });
}

function sizeClassOf(size: number): number {
  let sizeClass = 0;
  for (let border = 4; border <= size; border *= 4) sizeClass++;
  return sizeClass;
}

/** Larger paths hold more that can change. */
function sizeRate(size: number): number {
  let rate = 1;
  for (let above = sizeClassOf(size) - LEAST_CLASS; above > 0; above--) rate *= CLASS_RATE;
  return rate;
}

function mostSaving(parts: readonly Part[]): number | undefined {
  let best: number | undefined;
  for (const [at, { split }] of parts.entries()) {
    if (split === undefined) continue;
    if (best === undefined || split.saving > parts[best]!.split!.saving) best = at;
  }
  return best;
}

/** @param half the rate of a risk of one half */
function partOf({ families, border }: Side, half: number): Part {
  const sides = sidesOf(families, border);
  if (sides === undefined) return { families, split: undefined };
  const cost = (some: readonly Family[]): number => expectedCost(some, half);
  const saving = cost(families) - cost(sides[0].families) - cost(sides[1].families);
  return { families, split: { sides, saving } };
}

function expectedCost(families: readonly Family[], half: number): number {
  let [size, rate] = [0, 0];
  for (const family of families) {
    size += family.size;
    rate += family.rate;
  }
  return (size * rate) / (rate + half);
}

/** The first border with families on both sides, or undefined. */
function sidesOf(families: readonly Family[], border: Border): readonly [Side, Side] | undefined {
  if (families.length < 2) return undefined;
  return 'sizeClass' in border ? sidesOfRest(families, border.sizeClass) : sidesOfClass(families, border.bit);
}

function sidesOfRest(families: readonly Family[], top: number): readonly [Side, Side] | undefined {
  const greatest = Math.max(...families.map(({ sizeClass }) => sizeClass));
  const sizeClass = Math.min(greatest, top);
  const below = families.filter((family) => family.sizeClass < sizeClass);
  if (below.length === 0) return sidesOfClass(families, 0);
  const inside = families.filter((family) => family.sizeClass >= sizeClass);
  return [
    { families: inside, border: { bit: 0 } },
    { families: below, border: { sizeClass: sizeClass - 1 } },
  ];
}

function sidesOfClass(families: readonly Family[], firstBit: number): readonly [Side, Side] | undefined {
  for (let bit = firstBit; bit < HASH_BITS; bit++) {
    const zeros = families.filter(({ hashes }) => bitOf(hashes, bit) === 0);
    if (zeros.length === 0 || zeros.length === families.length) continue;
    const ones = families.filter(({ hashes }) => bitOf(hashes, bit) === 1);
    return [
      { families: zeros, border: { bit: bit + 1 } },
      { families: ones, border: { bit: bit + 1 } },
    ];
  }
  return undefined;
}

/** Bits go from the highest of the first hash to the lowest of the second. */
function bitOf(hashes: readonly [number, number], bit: number): number {
  return (hashes[bit < 32 ? 0 : 1] >>> (31 - (bit % 32))) & 1;
}
