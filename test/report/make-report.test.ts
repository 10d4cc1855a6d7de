import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SeenImage, SeenLayer } from '../../src/plan/update-cost.ts';
import { type ImageParts, makeReport } from '../../src/report/make-report.ts';
import { closureOf, storePath, written } from '../plan/graphs.ts';
import { sampleReport } from '../support/report-samples.ts';

type Origin = SeenImage & { readonly origin: string };

function image(layers: readonly (readonly string[])[], rest: Partial<SeenLayer> = {}): Origin {
  const seen = layers.map((paths): SeenLayer => ({
    kind: 'store',
    diffID: paths.join(),
    digest: paths.join(),
    size: 10,
    paths,
    label: 'some',
    ...rest,
  }));
  return { layers: seen, pathSizes: new Map(), measure: 'stored', origin: 'image.tar' };
}

function parts(seen: Origin, rest: Partial<ImageParts> = {}): ImageParts {
  const contents = seen.layers.map(() => undefined);
  return { seen, summary: undefined, contents, closure: undefined, ...rest };
}

const APP = storePath('app-1');
const LIB = storePath('lib-1');
const LOW = storePath('low-1');
const CLOSURE = closureOf(
  written({ 'app-1': [1, 'lib-1'], 'lib-1': [20, 'low-1', 'lib-1'], 'low-1': [300] }),
);

test('a store tells sizes, closures and references', () => {
  const report = makeReport({
    ...parts(image([[LOW], [LIB, APP]]), { closure: CLOSURE }),
    previous: undefined,
  });
  assert.equal(report.pathMeasure, 'nar');
  assert.deepEqual(
    report.paths.map(({ name, size, layer, references, closureSize, closurePaths }) => [
      name.slice(33),
      size,
      layer,
      references,
      closureSize,
      closurePaths,
    ]),
    [
      ['low-1', 300, 0, [], 300, 1],
      ['lib-1', 20, 1, [0], 320, 2],
      ['app-1', 1, 1, [1], 321, 3],
    ],
  );
  assert.deepEqual(
    report.layers.map(({ area, paths }) => [area, paths]),
    [
      [300, [0]],
      [21, [1, 2]],
    ],
  );
});

test('without a store, tars tell sizes, and nobody the rest', () => {
  const contents = [{ tarSize: 2048, pathSizes: new Map([[LOW, 1024]]) }];
  const report = makeReport({ ...parts(image([[LOW]]), { contents }), previous: undefined });
  assert.deepEqual([report.pathMeasure, report.hasReferences], ['tar', false]);
  assert.deepEqual([report.paths[0]!.size, report.paths[0]!.references], [1024, undefined]);
  assert.equal(report.layers[0]!.area, 1024);
});

test('what is beside the store paths counts in layers of others', () => {
  const contents = [{ tarSize: 2048, pathSizes: new Map([[LOW, 1024]]) }];
  const seen = image([[LOW]], { kind: 'other' });
  assert.equal(makeReport({ ...parts(seen, { contents }), previous: undefined }).layers[0]!.area, 2048);
});

test('without a store and without tars, layers are as large as they are stored', () => {
  const report = makeReport({ ...parts(image([[LOW], [LIB, APP]])), previous: undefined });
  assert.deepEqual([report.pathMeasure, report.layers.map(({ area }) => area)], [undefined, [10, 10]]);
});

test('paths are kept, sent again with their layer, changed or new', () => {
  const other = storePath('lib-0');
  const extra = storePath('extra-1');
  const report = makeReport({
    ...parts(image([[LOW], [LIB, APP, extra]])),
    previous: image([[LOW], [other, APP]]),
  });
  const states = report.paths.map(({ name, state }) => [name.slice(33), state]);
  assert.deepEqual(states, [
    ['low-1', 'kept'],
    ['lib-1', 'changed'],
    ['app-1', 'resent'],
    ['extra-1', 'new'],
  ]);
  assert.deepEqual(
    report.layers.map(({ state }) => state),
    ['kept', 'changed'],
  );
});

test('an old image that tells of no store paths tells of layers', () => {
  const before = image([[]], { kind: 'other' });
  const report = makeReport({ ...parts(image([[LOW]])), previous: before });
  assert.equal(report.paths[0]!.state, undefined);
  assert.equal(report.layers[0]!.state, 'new');
});

test('the areas of all layers are the sizes of all paths', () => {
  const report = makeReport(sampleReport({ paths: 300, layers: 20 }));
  const areas = report.layers.reduce((sum, { area }) => sum + area, 0);
  assert.equal(
    areas,
    report.paths.reduce((sum, { size = Number.NaN }) => sum + size, 0),
  );
});
