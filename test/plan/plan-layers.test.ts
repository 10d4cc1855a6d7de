import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { PhylloError } from '../../src/errors.ts';
import type { ExplicitLayer } from '../../src/plan/explicit-layers.ts';
import { checkLayerCount, storeLayerBudget } from '../../src/plan/layer-budget.ts';
import { joinSmallLayers } from '../../src/plan/min-layer-size.ts';
import { layerOf } from '../../src/plan/layer-of.ts';
import { type PlanOptions, planLayers } from '../../src/plan/plan-layers.ts';
import { chain, closureOf, infosOf, namesOf, pathsOf, shuffledGraph, storePath, written } from './graphs.ts';

const GRAPH = written({ app: [5, 'lib', 'tool'], tool: [10, 'libc'], lib: [20, 'libc'], libc: [30, 'libc'] });
const OPTIONS: PlanOptions = { layering: { kind: 'popularity' }, maxLayers: 100, baseLayers: 0 };

const layerings = fc.constantFrom<PlanOptions['layering']>(
  { kind: 'popularity' },
  { kind: 'auto' },
  { kind: 'pipeline', pipeline: [['popularity_contest'], ['limit_layers', 3]] },
);

test('a plan has every path once, keeps to the budget, and does not depend on the order of the input', () => {
  const maxLayers = fc.integer({ min: 5, max: 20 });
  const minLayerSize = fc.integer({ min: 0, max: 10 });
  fc.assert(
    fc.property(
      shuffledGraph(),
      layerings,
      maxLayers,
      minLayerSize,
      ({ graph, shuffled }, layering, maxLayers, minLayerSize) => {
        const explicitLayers: readonly ExplicitLayer[] = graph.slice(3, 4).map(({ path }) => [path]);
        const options = { layering, maxLayers, baseLayers: 0, minLayerSize, explicitLayers };
        const { layers } = planLayers(closureOf(graph), options);
        assert.deepEqual(pathsOf(layers).flat().sort(), graph.map(({ path }) => path).sort());
        assert.ok(layers.length < maxLayers);
        assert.deepEqual(planLayers(closureOf(shuffled), options).layers, layers);
      },
    ),
  );
});

test('an empty closure has no store layers', () => {
  for (const kind of ['popularity', 'auto'] as const) {
    assert.deepEqual(planLayers(closureOf([]), { ...OPTIONS, layering: { kind } }), {
      layers: [],
      warnings: [],
    });
  }
});

test('a graph that was not checked is an error that names the paths', () => {
  const cycle = written({ a: [1, 'b'], b: [1, 'c'], c: [1, 'b'] });
  assert.match(
    failure('CLOSURE_CYCLE', () => planLayers(closureOf(cycle), OPTIONS)),
    /cycle: .*-c -> .*-b -> .*-c$/,
  );
  const dangling = written({ a: [1, 'b'] });
  assert.match(
    failure('CLOSURE_INCOMPLETE', () => planLayers(closureOf(dangling), OPTIONS)),
    /lacks .*-b, which .*-a/,
  );
  failure('GRAPH_INVALID', () => planLayers(closureOf([...GRAPH, ...GRAPH]), OPTIONS));
});

test('the budget counts base layers and the customisation layer', () => {
  assert.equal(storeLayerBudget({ maxLayers: 100, baseLayers: 0 }), 99);
  assert.equal(storeLayerBudget({ maxLayers: 100, baseLayers: 98 }), 1);
  assert.match(
    failure('BUDGET_TOO_SMALL', () => storeLayerBudget({ maxLayers: 100, baseLayers: 99 })),
    /100.*99/,
  );
  failure('BUDGET_TOO_SMALL', () => storeLayerBudget({ maxLayers: 1, baseLayers: 0 }));
  for (const maxLayers of [1.5, -1, Number.NaN, Infinity]) {
    failure('LAYERING_INVALID', () => storeLayerBudget({ maxLayers, baseLayers: 0 }));
  }
});

test('the number of layers that an image has is checked', () => {
  assert.equal(checkLayerCount(125), undefined);
  assert.match(checkLayerCount(126)!, /126.*125/);
  failure('TOO_MANY_LAYERS', () => checkLayerCount(501));
  const { warnings } = planLayers(closureOf(chain(130)), { ...OPTIONS, maxLayers: 200 });
  assert.equal(warnings.length, 1);
  failure('TOO_MANY_LAYERS', () => planLayers(closureOf(chain(600)), { ...OPTIONS, maxLayers: 1000 }));
});

test('explicit layers come first, with their closures or without', () => {
  const explicitLayers = [[storePath('lib')], { paths: [storePath('app')], closure: false }];
  const { layers } = planLayers(closureOf(GRAPH), { ...OPTIONS, explicitLayers });
  assert.deepEqual(namesOf(layers), [['libc', 'lib'], ['app'], ['tool']]);
  assert.deepEqual(layers[1]!.reason, { kind: 'explicit', index: 1 });
});

test('a path that a list names is in its layer, whatever other closure it is in', () => {
  const explicitLayers = [[storePath('app')], [storePath('libc')]];
  const { layers } = planLayers(closureOf(GRAPH), { ...OPTIONS, explicitLayers });
  assert.deepEqual(namesOf(layers), [['app', 'lib', 'tool'], ['libc']]);
});

test('explicit layers that are wrong are reported, all at once', () => {
  const explicitLayers = [[storePath('lib'), '/nix/store/unknown'], [storePath('lib')], []];
  const message = failure('LAYERING_INVALID', () =>
    planLayers(closureOf(GRAPH), { ...OPTIONS, explicitLayers }),
  );
  assert.match(message, /layers\[0\]: \/nix\/store\/unknown is not/);
  assert.match(message, /layers\[1\]: .*-lib is in layers\[0\] too/);
  assert.match(message, /layers\[2\]: found no store path/);
});

test('a budget too small for explicit layers or a pipeline is an error', () => {
  const explicitLayers = [[storePath('lib')], [storePath('tool')]];
  const options = { ...OPTIONS, maxLayers: 3, explicitLayers };
  assert.match(
    failure('BUDGET_TOO_SMALL', () => planLayers(closureOf(GRAPH), options)),
    /3 store layers, 2 of them/,
  );
  assert.equal(planLayers(closureOf(GRAPH), { ...options, maxLayers: 4 }).layers.length, 3);
  const layering = { kind: 'pipeline', pipeline: [['popularity_contest']] } as const;
  failure('BUDGET_TOO_SMALL', () => planLayers(closureOf(GRAPH), { ...OPTIONS, maxLayers: 4, layering }));
});

test('virtual paths take part in the division and are in no layer', () => {
  const virtualPaths = infosOf(written({ 'config.json': [1, 'tool'], customisation: [1000, 'tool', 'lib'] }));
  for (const kind of ['popularity', 'auto'] as const) {
    const { layers } = planLayers(closureOf(GRAPH), { ...OPTIONS, layering: { kind, virtualPaths } });
    assert.deepEqual(namesOf(layers).flat().sort(), ['app', 'lib', 'libc', 'tool']);
  }
  const layering = { kind: 'auto', virtualPaths } as const;
  const { layers } = planLayers(closureOf(GRAPH), { ...OPTIONS, maxLayers: 3, layering });
  assert.deepEqual(layers.at(-1)!.reason, {
    kind: 'shared',
    users: virtualPaths.slice(1).map(({ path }) => path),
  });
});

test('layers below the floor are joined with their neighbours', () => {
  const cases: readonly (readonly [sizes: readonly number[], joined: readonly (readonly number[])[]])[] = [
    [[], []],
    [[1], [[1]]],
    [[1, 2], [[1, 2]]],
    [
      [10, 11],
      [[10], [11]],
    ],
    [[4, 6, 5], [[4, 6, 5]]],
    [
      [4, 6, 5, 5, 1],
      [
        [4, 6],
        [5, 5, 1],
      ],
    ],
    [
      [1, 20, 30],
      [[1, 20], [30]],
    ],
    [
      [30, 1, 20],
      [[30], [1, 20]],
    ],
    [
      [20, 1, 20],
      [[20, 1], [20]],
    ],
    [[20, 1], [[20, 1]]],
    [
      [3, 40, 3, 50, 9, 9, 3, 20],
      [[3, 40, 3], [50], [9, 9, 3], [20]],
    ],
  ];
  for (const [sizes, joined] of cases) assert.deepEqual(joinSizes(sizes, 10), joined);
});

test('joining keeps the order and leaves no layer below the floor', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 30 })),
      fc.integer({ min: 0, max: 20 }),
      (sizes, floor) => {
        const joined = joinSizes(sizes, floor);
        assert.deepEqual(joined.flat(), sizes);
        const sums = joined.map((group) => group.reduce((sum, size) => sum + size, 0));
        assert.ok(joined.length <= 1 || sums.every((sum) => sum >= floor));
      },
    ),
  );
});

test('a floor must be a whole number', () => {
  failure('LAYERING_INVALID', () => planLayers(closureOf(GRAPH), { ...OPTIONS, minLayerSize: 0.5 }));
});

test('100,000 layers below the floor are joined', () => {
  const layering = { kind: 'pipeline', pipeline: [['popularity_contest']] } as const;
  const { layers } = planLayers(closureOf(chain(100_000)), { ...OPTIONS, layering, minLayerSize: 10_000 });
  assert.equal(layers.length, 10);
});

function joinSizes(sizes: readonly number[], floor: number): readonly (readonly number[])[] {
  const infos = infosOf(
    sizes.map((narSize, index) => ({ path: storePath(`p${index}`), narSize, references: [] })),
  );
  const layers = infos.map((info) => layerOf([info], { kind: 'rest' }));
  return joinSmallLayers(layers, floor).map(({ paths }) => paths.map(({ narSize }) => narSize));
}

function failure(code: string, run: () => unknown): string {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof PhylloError, String(error));
    assert.equal(error.code, code);
    return error.message;
  }
  return assert.fail(`no error, wanted ${code}`);
}
