/** A closure as people and programs read it: a table, trees of references, JSON. */
import type { Digest } from '../digest.ts';
import type { Closure, PathInfo } from '../store/store.ts';
import type { StorePath } from '../store/store-path.ts';
import { describeSize } from './describe-size.ts';
import { chainTo, type ReferenceChains, shortestChains } from './reference-chains.ts';

export interface ClosureJson {
  readonly storeDir: string;
  /** Bytes of all NARs. */
  readonly narSize: number;
  readonly roots: readonly { readonly path: StorePath; readonly closureSize: number }[];
  /** The largest first. */
  readonly paths: readonly ClosurePathJson[];
}

export interface ClosurePathJson {
  readonly path: StorePath;
  readonly narHash: Digest;
  readonly narSize: number;
  readonly references: readonly StorePath[];
  readonly ca?: string;
  /** The shortest chain of references from a root, both included. */
  readonly chain: readonly StorePath[];
}

export function closureToJson(closure: Closure): ClosureJson {
  const chains = shortestChains(closure);
  return {
    storeDir: closure.storeDir,
    narSize: sizeOf(closure.paths),
    roots: closure.roots.map((path) => ({ path, closureSize: closureSize(path, closure) })),
    paths: largestFirst(closure.paths).map(({ path, narHash, narSize, references, ca }) => ({
      path,
      narHash,
      narSize,
      references,
      ...(ca === undefined ? {} : { ca }),
      chain: chainTo(path, chains) ?? [],
    })),
  };
}

/** A line for each path, the largest first, and the total. Each ends in a newline. */
export function renderClosure({ paths }: Closure): string {
  const lines = largestFirst(paths).map(({ path, narSize }) => lineOf(describeSize(narSize), path));
  const total = lineOf(describeSize(sizeOf(paths)), `${paths.length} store paths`);
  return [...lines, total].map((line) => `${line}\n`).join('');
}

/** Every path once, below the path that refers to it in its shortest chain; the largest first. */
export function renderClosureTree(closure: Closure): string {
  return closure.roots.map((root) => renderTree(root, childrenOf(closure))).join('');
}

/** The chain that leads to one path as a tree; undefined when it is not in the closure. */
export function renderChain(path: StorePath, closure: Closure): string | undefined {
  const chain = chainTo(path, shortestChains(closure));
  return chain?.map((step, depth) => `${indent(depth)}${step}\n`).join('');
}

const SIZE_COLUMNS = 10;

function lineOf(size: string, text: string): string {
  return `${size.padStart(SIZE_COLUMNS)}  ${text}`;
}

function indent(depth: number): string {
  return depth === 0 ? '' : `${'    '.repeat(depth - 1)}└───`;
}

function childrenOf(closure: Closure): ReadonlyMap<StorePath | undefined, readonly PathInfo[]> {
  const chains: ReferenceChains = shortestChains(closure);
  return Map.groupBy(largestFirst(closure.paths), ({ path }) => chains.get(path));
}

/** A stack of our own: a chain of references may be longer than calls can nest. */
function renderTree(
  root: StorePath,
  children: ReadonlyMap<StorePath | undefined, readonly PathInfo[]>,
): string {
  const own = children.get(undefined)?.find(({ path }) => path === root);
  const lines: string[] = [];
  const stack = [{ info: own as PathInfo, prefix: '', rest: '' }];
  for (let item = stack.pop(); item !== undefined; item = stack.pop()) {
    const { info, prefix, rest } = item;
    lines.push(`${prefix}${info.path}  ${describeSize(info.narSize)}\n`);
    const below = children.get(info.path) ?? [];
    const items = below.map((child, index) => {
      const isLast = index === below.length - 1;
      return {
        info: child,
        prefix: `${rest}${isLast ? '└───' : '├───'}`,
        rest: `${rest}${isLast ? '    ' : '│   '}`,
      };
    });
    stack.push(...items.toReversed());
  }
  return lines.join('');
}

function closureSize(root: StorePath, { storeDir, paths }: Closure): number {
  const reached = shortestChains({ storeDir, roots: [root], paths });
  return sizeOf(paths.filter(({ path }) => reached.has(path)));
}

function largestFirst(paths: readonly PathInfo[]): readonly PathInfo[] {
  return paths.toSorted((left, right) => right.narSize - left.narSize || (left.path < right.path ? -1 : 1));
}

function sizeOf(paths: readonly PathInfo[]): number {
  return paths.reduce((sum, { narSize }) => sum + narSize, 0);
}
