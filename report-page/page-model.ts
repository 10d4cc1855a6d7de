/** The report's data, and what follows from them: referrers, roots, why a path is there, what its closure is. */
import { describeSize } from '../src/plan/describe-size.ts';
import type { PageData, ReportPath } from '../src/report/page-data.ts';

export interface PageModel extends PageData {
  /** Places of those who refer to each path, ascending; empty where it is not known. */
  readonly referrers: readonly (readonly number[])[];
  /** Paths that nothing in the image refers to, ascending; empty where it is not known. */
  readonly roots: readonly number[];
  /** Of each path, who refers to it in the shortest chain from a root; undefined: a root. */
  readonly reachedFrom: ReadonlyMap<number, number | undefined>;
  /** Bytes of the whole treemap. */
  readonly total: number;
}

export function makeModel(data: PageData): PageModel {
  const referrers = data.paths.map((): number[] => []);
  for (const [path, { references = [] }] of data.paths.entries())
    for (const target of references) referrers[target]!.push(path);
  const roots = data.hasReferences
    ? [...data.paths.keys()].filter((path) => referrers[path]!.length === 0)
    : [];
  return {
    ...data,
    referrers,
    roots,
    reachedFrom: breadthFirst(data, roots),
    total: data.layers.reduce((sum, { area }) => sum + area, 0),
  };
}

/** From a root to the path, both included. */
export function chainTo(path: number, { reachedFrom }: PageModel): readonly number[] {
  const chain: number[] = [];
  for (let at: number | undefined = path; at !== undefined; at = reachedFrom.get(at)) chain.unshift(at);
  return chain;
}

export function closureOf(path: number, data: PageData): ReadonlySet<number> {
  return new Set(breadthFirst(data, [path]).keys());
}

/** `openssl-3.0.13` of `HASH-openssl-3.0.13` */
export function shortName({ name }: ReportPath): string {
  return name.slice(HASH_LENGTH + 1);
}

export function hashOf({ name }: ReportPath): string {
  return name.slice(0, HASH_LENGTH);
}

export function sizeText(bytes: number | undefined): string {
  return bytes === undefined ? 'not known' : describeSize(bytes);
}

export const STATE_WORDS = {
  kept: 'kept',
  resent: 'kept, sent again',
  changed: 'changed',
  new: 'new',
  unknown: 'unknown',
} as const;

const HASH_LENGTH = 32;

/** Who reached each path first. A map that grows while it is gone through is a queue. */
function breadthFirst({ paths }: PageData, roots: readonly number[]): Map<number, number | undefined> {
  const from = new Map<number, number | undefined>(roots.map((root) => [root, undefined]));
  for (const path of from.keys())
    for (const target of paths[path]!.references ?? []) if (!from.has(target)) from.set(target, path);
  return from;
}
