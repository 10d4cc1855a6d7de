import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { type PlannedLayers, planLayers } from '../../src/plan/plan-layers.ts';
import type { PreviousLayers } from '../../src/plan/steady.ts';
import type { Closure, PathInfo } from '../../src/store/store.ts';
import type { StorePath } from '../../src/store/store-path.ts';
import { chain, closureOf, infosOf, namesOf, pathsOf, randomGraph, type VectorPath } from './graphs.ts';

const limits = fc.integer({ min: 1, max: 12 });

test('every path is in one layer, within the budget, whatever the order of the input', () => {
  fc.assert(
    fc.property(mixedClosure(), limits, fc.infiniteStream(fc.nat()), (closure, limit, numbers) => {
      const plan = planSteadily(closure, limit);
      checkPlan(plan, closure, limit);
      const shuffled = { ...closure, paths: shuffle(closure.paths, numbers) };
      assert.deepEqual(planSteadily(shuffled, limit), plan);
    }),
  );
});

test('an unchanged closure has the unchanged plan', () => {
  fc.assert(
    fc.property(mixedClosure(), limits, (closure, limit) => {
      const before = planSteadily(closure, limit);
      const after = planSteadily(closure, limit, previousOf(before));
      assert.deepEqual(pathsOf(after.layers), pathsOf(before.layers));
      assert.deepEqual(after.changes, before.changes);
    }),
  );
});

test('a layer whose paths are all unchanged is never split, over several releases', () => {
  const releases = fc.array(fc.nat(), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(mixedClosure(), limits, releases, (first, limit, seeds) => {
      let closure = first;
      let before = planSteadily(closure, limit);
      for (const seed of seeds) {
        closure = release(closure, seed);
        const after = planSteadily(closure, limit, previousOf(before));
        checkPlan(after, closure, limit);
        checkKept(before, after, closure);
        assert.deepEqual(planSteadily(closure, limit, previousOf(before)), after);
        before = after;
      }
    }),
    { numRuns: 1000 },
  );
});

test('a kept layer keeps the order of its paths, whoever planned it', () => {
  const closure = closureOf(chain(30));
  const byPopularity = planLayers(closure, {
    layering: { kind: 'popularity' },
    maxLayers: 11,
    baseLayers: 0,
  });
  const plan = planSteadily(release(closure, 0), 10, previousOf(byPopularity));
  const old = new Set(pathsOf(byPopularity.layers).map((paths) => paths.join()));
  const kept = plan.layers.filter(({ reason }) => reason.kind === 'kept');
  assert.ok(kept.length > 0);
  for (const paths of pathsOf(kept)) assert.ok(old.has(paths.join()));
});

test('hashes do not matter: the same names lead to the same layers', () => {
  fc.assert(
    fc.property(randomGraph(), limits, (graph, limit) => {
      const closure = closureOf(graph);
      const rebuilt = release(closure, 0, () => true);
      const sortedNames = (some: Closure): unknown =>
        namesOf(planSteadily(some, limit).layers).map((names) => [...names].sort());
      assert.deepEqual(sortedNames(rebuilt), sortedNames(closure));
    }),
  );
});

test('a small root shares no layer with large paths', () => {
  const libraries = Array.from({ length: 100 }, (_, at) => ({
    ...named(`lib${at}x-1.0`),
    narSize: 1e7 + at,
  }));
  const root = { ...named('app-1.0'), narSize: 1000, references: libraries.map(({ path }) => path) };
  for (const limit of [10, 20, 40, 99]) {
    const { layers } = planSteadily(closureOf([root, ...libraries]), limit);
    const layer = layers.find(({ paths }) => paths.some(({ path }) => path === root.path))!;
    assert.deepEqual(namesOf([layer]), [['app-1.0']], `${limit} layers`);
  }
});

test('explicit layers do not disturb what is kept', () => {
  const closure = closureOf(chain(20));
  const explicitLayers = [{ paths: [closure.paths[3]!.path], closure: false }];
  const before = planSteadily(closure, 8, undefined, { explicitLayers });
  const after = planSteadily(closure, 8, previousOf(before), { explicitLayers });
  assert.deepEqual(pathsOf(after.layers), pathsOf(before.layers));
});

test('paths that the division ignores are in no layer', () => {
  const closure = closureOf(chain(5));
  const ignore = [closure.paths[0]!.path];
  const layering = { kind: 'steady', ignore } as const;
  const { layers } = planLayers(closure, { layering, maxLayers: 4, baseLayers: 0 });
  assert.equal(pathsOf(layers).flat().length, 4);
});

test('a previous image may have nothing in common, fewer layers, or the same path twice', () => {
  const closure = closureOf(chain(20));
  const path = closure.paths[4]!.path;
  for (const layers of [[], [['/nix/store/other']], [[path], [path]], [[path, path]], [[], [path]]]) {
    checkPlan(planSteadily(closure, 5, { layers }), closure, 5);
  }
});

test('chains of 10,000 paths', () => {
  const closure = closureOf(chain(10_000));
  const start = performance.now();
  const before = planSteadily(closure, 100);
  const after = planSteadily(
    release(closure, 0, (at) => at > 5000),
    100,
    previousOf(before),
  );
  assert.equal(before.layers.length, 100);
  assert.ok(after.layers.length <= 100);
  // Loose: it is to find quadratic time, not a busy machine.
  assert.ok(performance.now() - start < 60_000);
});

function planSteadily(
  closure: Closure,
  limit: number,
  previous?: PreviousLayers,
  options: Partial<Parameters<typeof planLayers>[1]> = {},
): PlannedLayers {
  const layering = { kind: 'steady', ...(previous === undefined ? {} : { previous }) } as const;
  return planLayers(closure, { layering, maxLayers: limit + 1, baseLayers: 0, ...options });
}

/** As read back from an image. */
function previousOf({ layers, changes }: PlannedLayers): PreviousLayers {
  return JSON.parse(JSON.stringify({ layers: pathsOf(layers), changes })) as PreviousLayers;
}

function checkPlan({ layers }: PlannedLayers, { paths }: Closure, limit: number): void {
  assert.ok(layers.length <= limit);
  assert.deepEqual(pathsOf(layers).flat().sort(), paths.map(({ path }) => path).sort());
  assert.ok(layers.every((layer) => layer.paths.length > 0));
}

function checkKept(before: PlannedLayers, after: PlannedLayers, { paths }: Closure): void {
  const present = new Set<string>(paths.map(({ path }) => path));
  const homes = new Map(pathsOf(after.layers).flatMap((some, home) => some.map((path) => [path, home])));
  for (const layer of pathsOf(before.layers)) {
    if (layer.every((path) => present.has(path))) {
      assert.equal(new Set(layer.map((path) => homes.get(path))).size, 1);
    }
  }
}

/** The next closure: some paths change, and with them all that refer to them. */
function release(
  closure: Closure,
  seed: number,
  changes: (at: number) => boolean = (at) => (at * 7 + seed) % 5 === 0,
): Closure {
  const newPaths = new Map<string, StorePath>();
  const renamed = (path: string): StorePath => newPaths.get(path) ?? (path as StorePath);
  // Later paths of these graphs are references of earlier ones.
  for (const [at, info] of [...closure.paths.entries()].reverse()) {
    const isByInput = info.ca === undefined;
    if (
      changes(at) ||
      (isByInput && info.references.some((path) => newPaths.has(path) && path !== info.path))
    ) {
      newPaths.set(info.path, nextHash(info.path, seed));
    }
  }
  const paths = closure.paths.map((info) => ({
    ...info,
    path: renamed(info.path),
    references: info.references.map(renamed),
  }));
  return { ...closure, paths };
}

function nextHash(path: string, seed: number): StorePath {
  const digits = (BigInt(path.slice(11, 43)) * 48_271n + BigInt(seed) + 1n) % 10n ** 32n;
  return `/nix/store/${String(digits).padStart(32, '0')}${path.slice(43)}` as StorePath;
}

/** Of random graphs some paths are content-addressed. */
function mixedClosure(): fc.Arbitrary<Closure> {
  return fc.tuple(randomGraph(40), fc.integer({ min: 1, max: 4 })).map(([graph, every]) => ({
    ...closureOf([]),
    paths: infosOf(graph).map((info, at): PathInfo =>
      at % every === 0 ? info : Object.assign({}, info, { ca: 'fixed:r:sha256:unknown' }),
    ),
  }));
}

function named(name: string): VectorPath {
  const hash = Array.from(name, (letter) => letter.charCodeAt(0) % 10)
    .join('')
    .padEnd(32, '0');
  return { path: `/nix/store/${hash}-${name}`, narSize: 0, references: [] };
}

function shuffle<T>(items: readonly T[], numbers: Iterator<number>): readonly T[] {
  const keyed = items.map((item) => ({ item, key: numbers.next().value as number }));
  return keyed.sort((a, b) => a.key - b.key).map(({ item }) => item);
}
