import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { PhylloError } from '../../src/errors.ts';
import { exactPopularities } from '../../src/plan/exact-popularity.ts';
import { planPopularity, popularityOrder, tieBreak } from '../../src/plan/popularity.ts';
import { indexReferences } from '../../src/plan/reference-graph.ts';
import {
  chain,
  infosOf,
  randomGraph,
  readVectors,
  shuffledGraph,
  storePath,
  type VectorPath,
} from './graphs.ts';

interface PopularityCase {
  readonly name: string;
  readonly note: string;
  readonly graph: readonly VectorPath[];
  readonly expected: {
    readonly error?: boolean;
    readonly unreached?: readonly string[];
    readonly order?: readonly { readonly path: string; readonly popularity: string }[];
  };
}

const { cases } = readVectors('popularity.json') as { readonly cases: readonly PopularityCase[] };

for (const { name, note, graph, expected } of cases) {
  test(`${name}: ${note}`, () => {
    // The reference puts paths in a cycle last, in no order; here a cycle is an error.
    if (expected.unreached !== undefined) assertCode(() => countsOf(graph), 'CLOSURE_CYCLE');
    else if (expected.error === true) assertCode(() => countsOf(graph), 'CLOSURE_INCOMPLETE');
    else assert.deepEqual(countsOf(graph), expected.order);
  });
}

test('is that of the recursive definition', () => {
  fc.assert(fc.property(randomGraph(), (graph) => assert.deepEqual(countsOf(graph), slowCounts(graph))));
});

test('does not depend on the order of the input', () => {
  fc.assert(
    fc.property(shuffledGraph(), ({ graph, shuffled }) => {
      assert.deepEqual(countsOf(shuffled), countsOf(graph));
    }),
  );
});

test('is exact where floating point cannot tell counts apart', () => {
  // Two towers of 2^200 walks, one with a single walk more: a relative difference of 2^-200.
  const graph = [
    ...tower('x', 200),
    ...tower('y', 200),
    { path: storePath('more'), narSize: 1, references: [storePath('x199-0')] },
  ];
  const counts = countsOf(graph);
  assert.deepEqual(counts, slowCounts(graph));
  assert.ok(counts[0]!.popularity.length > 60);
  assert.equal(counts[0]!.path, storePath('x199-0'));
});

test('tells counts of thousands of bits apart', () => {
  const graph = tower('x', 3000);
  const index = indexReferences(infosOf(graph));
  const names = popularityOrder(index).map((id) => index.infos[id]!.path);
  assert.deepEqual(names.slice(0, 2), [storePath('x2999-0'), storePath('x2999-1')]);
  assert.deepEqual(names.slice(-2), [storePath('x0-0'), storePath('x0-1')]);
});

test('orders a chain of 100,000', () => {
  const infos = infosOf(chain(100_000));
  const order = popularityOrder(indexReferences(infos));
  assert.deepEqual(
    order.slice(0, 2),
    [99_999, 99_998].map((place) => indexOfPath(infos, place)),
  );
});

const graph = indexReferences(infosOf(chain(5)));

test('gives the most popular paths a layer each and the rest one', () => {
  const layers = planPopularity(graph, { limit: 3 });
  assert.deepEqual(
    layers.map(({ paths }) => paths.length),
    [1, 1, 3],
  );
  assert.deepEqual(
    layers.map(({ reason }) => reason.kind),
    ['popular', 'popular', 'rest'],
  );
  assert.deepEqual(layers[0]!.reason, { kind: 'popular', popularity: '5' });
});

test('makes fewer layers of fewer paths', () => {
  assert.equal(planPopularity(graph, { limit: 5 }).length, 5);
  assert.equal(planPopularity(graph, { limit: 99 }).length, 5);
  assert.equal(planPopularity(graph, { limit: 1 }).length, 1);
});

test('counts ignored paths as referrers and drops them', () => {
  const layers = planPopularity(graph, { limit: 99, ignore: [storePath('c000000')] });
  assert.equal(layers.length, 4);
  assert.deepEqual(layers[0]!.reason, { kind: 'popular', popularity: '5' });
});

test('tieBreak moves all before the first dash to the end', () => {
  assert.equal(tieBreak('/nix/store/HASH-foo-1'), 'foo-1-/nix/store/HASH');
  assert.equal(tieBreak('/nix/store/plain'), '/nix/store/plain');
});

function countsOf(
  paths: readonly VectorPath[],
): readonly { readonly path: string; readonly popularity: string }[] {
  const graph = indexReferences(infosOf(paths));
  const order = popularityOrder(graph);
  const counts = exactPopularities(graph, order);
  return order.map((id, place) => ({ path: graph.infos[id]!.path, popularity: String(counts[place]) }));
}

/** Straight from the definition: walks along every reference, and a set of ancestors for each path. */
function slowCounts(
  paths: readonly VectorPath[],
): readonly { readonly path: string; readonly popularity: string }[] {
  const known = new Map<string, { readonly walks: bigint; readonly ancestors: ReadonlySet<string> }>();
  const visit = (path: string): { readonly walks: bigint; readonly ancestors: ReadonlySet<string> } => {
    const before = known.get(path);
    if (before !== undefined) return before;
    const users = paths.filter((user) => user.path !== path && user.references.includes(path));
    let walks = users.length === 0 ? 1n : 0n;
    let ancestors: ReadonlySet<string> = new Set(users.map((user) => user.path));
    for (const user of users) {
      walks += visit(user.path).walks;
      ancestors = ancestors.union(visit(user.path).ancestors);
    }
    known.set(path, { walks, ancestors });
    return { walks, ancestors };
  };
  const counts = paths.map(({ path }) => {
    const { walks, ancestors } = visit(path);
    return { path, count: [...ancestors].reduce((sum, ancestor) => sum + visit(ancestor).walks, walks) };
  });
  const ordered = counts.sort(
    (a, b) =>
      Number(b.count > a.count) - Number(b.count < a.count) || (tieBreak(a.path) < tieBreak(b.path) ? -1 : 1),
  );
  return ordered.map(({ path, count }) => ({ path, popularity: String(count) }));
}

/** `steps` rungs of two paths that both refer to both of the next rung. */
function tower(name: string, steps: number): readonly VectorPath[] {
  return Array.from({ length: 2 * steps }, (_, index) => {
    const step = Math.floor(index / 2);
    const next = step + 1 < steps ? [0, 1].map((side) => storePath(`${name}${step + 1}-${side}`)) : [];
    return { path: storePath(`${name}${step}-${index % 2}`), narSize: 1, references: next };
  });
}

function indexOfPath(infos: readonly { readonly path: string }[], place: number): number {
  return infos
    .map(({ path }) => path)
    .sort()
    .indexOf(infos[place]!.path);
}

function assertCode(run: () => unknown, code: string): void {
  assert.throws(run, (error) => error instanceof PhylloError && error.code === code);
}
