/**
 * Why a path is in a closure: the shortest chain of references from a root to it.
 *
 * Steps: a breadth-first search from the roots, references in ascending order; each path's referrer is the one that reached
 * it first. So of chains of one length the same one is always taken. Linear in paths and references.
 *
 * Prior art: `nix why-depends`, which searches for one path at a time.
 */
import type { Closure } from '../store/store.ts';
import type { StorePath } from '../store/store-path.ts';

/** Each path of the closure, in the order of its distance from the roots, with its referrer; a root has none. */
export type ReferenceChains = ReadonlyMap<StorePath, StorePath | undefined>;

export function shortestChains({ roots, paths }: Closure): ReferenceChains {
  const infos = new Map(paths.map((info) => [info.path, info]));
  const referrers = new Map<StorePath, StorePath | undefined>(roots.map((root) => [root, undefined]));
  // A map that grows while it is gone through is a queue.
  for (const path of referrers.keys()) {
    for (const reference of infos.get(path)?.references ?? []) {
      if (!referrers.has(reference)) referrers.set(reference, path);
    }
  }
  return referrers;
}

/** From a root to the path, both included; undefined when the path is not in the closure. */
export function chainTo(path: StorePath, chains: ReferenceChains): readonly StorePath[] | undefined {
  if (!chains.has(path)) return undefined;
  const chain: StorePath[] = [];
  for (let at: StorePath | undefined = path; at !== undefined; at = chains.get(at)) chain.unshift(at);
  return chain;
}
