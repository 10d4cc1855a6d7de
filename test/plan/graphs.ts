/** Closures for tests: read from vectors, written by hand, and at random. */
import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import type { Digest } from '../../src/digest.ts';
import type { LayerPlan } from '../../src/plan/layer-plan.ts';
import type { Closure, PathInfo } from '../../src/store/store.ts';
import type { StorePath } from '../../src/store/store-path.ts';

/** Path info as the vectors have it: not all paths are valid store paths. */
export interface VectorPath {
  readonly path: string;
  readonly narSize: number;
  readonly references: readonly string[];
}

/** A golden file's JSON; the caller knows its shape. */
export function readVectors(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`../golden/${name}`, import.meta.url), 'utf8'));
}

export function infosOf(paths: readonly VectorPath[]): readonly PathInfo[] {
  const narHash = `sha256:${'0'.repeat(64)}` as Digest;
  return paths.map(({ path, narSize, references }) => ({
    path: path as StorePath,
    narHash,
    narSize,
    references: references as readonly StorePath[],
  }));
}

export function closureOf(paths: readonly VectorPath[]): Closure {
  return { storeDir: '/nix/store', roots: [], paths: infosOf(paths) };
}

/** `{ a: [10, 'b'], b: [20] }`: path `/nix/store/HASH-a` of size 10 refers to b. */
export function written(
  graph: Readonly<Record<string, readonly [number, ...string[]]>>,
): readonly VectorPath[] {
  return Object.entries(graph).map(([name, [narSize, ...references]]) => ({
    path: storePath(name),
    narSize,
    references: references.map(storePath),
  }));
}

/** A valid store path; its hash is made of the name's length and last character, so that names and paths sort differently. */
export function storePath(name: string): StorePath {
  const first = (name.charCodeAt(name.length - 1) * 7) % 10;
  return `/nix/store/${String(first).padEnd(32, '0')}-${name}` as StorePath;
}

export function namesOf(layers: readonly LayerPlan[]): readonly (readonly string[])[] {
  return layers.map(({ paths }) => paths.map(({ path }) => path.slice(path.indexOf('-') + 1)));
}

export function pathsOf(layers: readonly LayerPlan[]): readonly (readonly string[])[] {
  return layers.map(({ paths }) => paths.map(({ path }) => path));
}

/** Acyclic graphs, some with self references; every path refers to later ones only. */
export function randomGraph(maxPaths = 25): fc.Arbitrary<readonly VectorPath[]> {
  const node = fc.record({
    size: fc.oneof(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 2 ** 40 })),
    steps: fc.array(fc.integer({ min: 0, max: maxPaths }), { maxLength: 5 }),
    letter: fc.constantFrom('a', 'b', 'lib-c', 'Z'),
  });
  return fc.array(node, { maxLength: maxPaths }).map((nodes) => {
    const paths = nodes.map(({ letter }, index) => storePath(`${letter}-${index}`));
    return nodes.map(({ size, steps }, index) => ({
      path: paths[index]!,
      narSize: size,
      references: [...new Set(steps)].flatMap((step) => paths[index + step] ?? []),
    }));
  });
}

/** A random graph, and the same in another order. */
export function shuffledGraph(): fc.Arbitrary<{
  readonly graph: readonly VectorPath[];
  readonly shuffled: readonly VectorPath[];
}> {
  return randomGraph().chain((graph) =>
    fc
      .shuffledSubarray([...graph], { minLength: graph.length, maxLength: graph.length })
      .map((shuffled) => ({ graph, shuffled })),
  );
}

/** `c000000` refers to `c000001` and so on. */
export function chain(length: number): readonly VectorPath[] {
  return Array.from({ length }, (_, index) => ({
    path: chainPath(index),
    narSize: 1,
    references: index + 1 < length ? [chainPath(index + 1)] : [],
  }));
}

function chainPath(index: number): StorePath {
  return storePath(`c${String(index).padStart(6, '0')}`);
}
