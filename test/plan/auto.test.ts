import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { planAuto } from '../../src/plan/auto.ts';
import { indexReferences } from '../../src/plan/reference-graph.ts';
import type { StorePath } from '../../src/store/store-path.ts';
import {
  chain,
  infosOf,
  pathsOf,
  randomGraph,
  readVectors,
  shuffledGraph,
  storePath,
  type VectorPath,
} from './graphs.ts';

interface AutoCase {
  readonly name: string;
  readonly note: string;
  readonly graph?: readonly VectorPath[];
  readonly graphName?: string;
  readonly layerLimit: number;
  readonly ignore: readonly StorePath[];
  readonly layerOrder: 'exact' | 'any';
  readonly expected: {
    readonly layers: readonly (readonly string[])[];
    readonly details?: readonly { readonly usedBy: readonly string[]; readonly layerSize: string }[];
  };
}

const { cases, graphs } = readVectors('auto-layer.json') as {
  readonly cases: readonly AutoCase[];
  readonly graphs: Readonly<Record<string, readonly VectorPath[]>>;
};

for (const one of cases) {
  test(`${one.name}: ${one.note}`, () => {
    const paths = one.graph ?? graphs[one.graphName!]!;
    const graph = indexReferences(infosOf(paths));
    // The reference takes the later element of the input where sizes tie; without `choices` it is the greater path.
    const place = new Map(paths.map(({ path }, index) => [path, index]));
    const later = (id: number): number => place.get(graph.infos[id]!.path)!;
    const choices = [...graph.infos.keys()].sort(
      (a, b) => graph.infos[b]!.narSize - graph.infos[a]!.narSize || later(b) - later(a),
    );
    const layers = planAuto(graph, { limit: one.layerLimit, ignore: one.ignore, choices });
    if (one.layerOrder === 'exact') assert.deepEqual(pathsOf(layers), one.expected.layers);
    else assert.deepEqual(asSet(pathsOf(layers)), asSet(one.expected.layers));
    if (one.ignore.length > 0 || one.expected.details === undefined) return;
    const details = new Map(
      one.expected.layers.map((paths, index) => [paths.join(), one.expected.details![index]!]),
    );
    for (const { paths, narSize, reason } of layers) {
      const detail = details.get(paths.map(({ path }) => path).join())!;
      assert.equal(String(narSize), detail.layerSize);
      assert.ok(reason.kind === 'shared');
      assert.deepEqual([...reason.users].sort(), [...detail.usedBy].sort());
    }
  });
}

const limits = fc.integer({ min: 0, max: 30 });

test('is that of the definition with sets of users', () => {
  fc.assert(
    fc.property(randomGraph(), limits, (graph, limit) => {
      assert.deepEqual(asSet(plan(graph, limit)), asSet(slowLayers(graph, limit)));
    }),
  );
});

test('puts every path in exactly one layer and keeps to the limit', () => {
  fc.assert(
    fc.property(randomGraph(), limits, (graph, limit) => {
      const layers = plan(graph, limit);
      assert.deepEqual(layers.flat().sort(), graph.map(({ path }) => path).sort());
      assert.ok(layers.length <= Math.max(limit, 1));
    }),
  );
});

test('does not depend on the order of the input', () => {
  fc.assert(
    fc.property(shuffledGraph(), limits, ({ graph, shuffled }, limit) => {
      assert.deepEqual(plan(shuffled, limit), plan(graph, limit));
    }),
  );
});

test('moves no layer for an unrelated path that the budget has room for', () => {
  fc.assert(
    fc.property(randomGraph(), fc.integer({ min: 0, max: 2 ** 41 }), (graph, narSize) => {
      // With a layer for each, the limit forces nothing.
      const limit = graph.length + 1;
      const more = [...graph, { path: storePath('unrelated'), narSize, references: [] }];
      const others = plan(more, limit).filter((paths) => !paths.includes(storePath('unrelated')));
      assert.deepEqual(asSet(others), asSet(plan(graph, limit)));
    }),
  );
});

test('moves no layer for an unrelated path while its layer is within a larger budget', () => {
  fc.assert(
    fc.property(randomGraph(), limits, (graph, limit) => {
      // The smallest of all is the last choice: the others are chosen as before, and it stays with what nobody large needs.
      const more = [...graph, { path: '/nix/store/0-unrelated', narSize: 0, references: [] }];
      const before = asSet(plan(graph, limit));
      const after = asSet(
        plan(more, limit).map((paths) => paths.filter((path) => !path.endsWith('-unrelated'))),
      );
      const lost = before.filter((layer) => !after.includes(layer));
      // A class for it alone is the only one that the budget may have to make room for.
      if (before.length < limit) assert.deepEqual(lost, []);
    }),
  );
});

test('divides a chain of 100,000', () => {
  const graph = indexReferences(infosOf(chain(100_000)));
  assert.equal(planAuto(graph, { limit: 98 }).length, 98);
});

function plan(graph: readonly VectorPath[], limit: number): readonly (readonly string[])[] {
  return pathsOf(planAuto(indexReferences(infosOf(graph)), { limit }));
}

/** Straight from the specification. Layers and their paths are in no order. */
function slowLayers(graph: readonly VectorPath[], limit: number): readonly (readonly string[])[] {
  const closureOf = (path: string): ReadonlySet<string> => {
    const found = new Set([path]);
    for (const at of found)
      graph.find((info) => info.path === at)!.references.forEach((next) => found.add(next));
    return found;
  };
  const closures = new Map(graph.map(({ path }) => [path, closureOf(path)]));
  const needs = (user: string, path: string): boolean => user !== path && closures.get(user)!.has(path);
  const order = [...graph].sort((a, b) => b.narSize - a.narSize || (a.path < b.path ? 1 : -1));
  let split = new Map(graph.map(({ path }) => [path, [] as readonly string[]]));
  for (const { path: chosen } of order) {
    const next = new Map(split).set(chosen, [chosen]);
    for (const { path } of graph.filter((info) => needs(chosen, info.path))) {
      const kept = split.get(path)!.filter((user) => !needs(user, chosen));
      next.set(path, kept.some((user) => needs(chosen, user)) ? kept : [...kept, chosen]);
    }
    if (new Set([...next.values()].map((users) => [...users].sort().join())).size > limit) break;
    split = next;
  }
  return [...Map.groupBy(split.keys(), (path) => [...split.get(path)!].sort().join()).values()];
}

function asSet(layers: readonly (readonly string[])[]): readonly string[] {
  return layers.map((paths) => [...paths].sort().join()).sort();
}
