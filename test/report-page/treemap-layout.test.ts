import assert from 'node:assert/strict';
import { test } from 'node:test';
import { layOut, type Rectangle } from '../../report-page/treemap-layout.ts';
import { makeReport } from '../../src/report/make-report.ts';
import { sampleReport } from '../support/report-samples.ts';

const REPORT = makeReport(sampleReport({ paths: 500, layers: 30 }));
const SHAPE = { width: 900, height: 600, only: undefined };
const areaOf = ({ width, height }: Rectangle): number => width * height;

test('areas are to the map as sizes are to the whole', () => {
  const total = REPORT.layers.reduce((sum, { area }) => sum + area, 0);
  const bytesPerUnit = total / (SHAPE.width * SHAPE.height);
  for (const layer of layOut(REPORT, SHAPE)) {
    assertNear(areaOf(layer) * bytesPerUnit, REPORT.layers[layer.layer]!.area);
    for (const cell of layer.cells) {
      assertNear(areaOf(cell) * bytesPerUnit, REPORT.paths[cell.path!]!.size!);
      assert.ok(isWithin(cell, layer));
    }
  }
});

test('every path with a size is there once', () => {
  const drawn = layOut(REPORT, SHAPE).flatMap(({ cells }) => cells.map(({ path }) => path!));
  assert.deepEqual(
    drawn.toSorted((a, b) => a - b),
    [...REPORT.paths.keys()],
  );
});

test('one layer fills the map', () => {
  const [layer, ...others] = layOut(REPORT, { ...SHAPE, only: 3 });
  assert.equal(others.length, 0);
  assert.deepEqual(
    [layer!.layer, layer!.x, layer!.y, layer!.width, Math.round(layer!.height)],
    [3, 0, 0, 900, 600],
  );
});

test('where a size is not known the layer is one rectangle; what is beside store paths has one', () => {
  const paths = [
    { ...REPORT.paths[0]!, size: undefined },
    { ...REPORT.paths[1]!, size: 60 },
  ];
  const layers = [
    { ...REPORT.layers[0]!, area: 100, paths: [0] },
    { ...REPORT.layers[1]!, area: 100, paths: [1] },
  ];
  const [unknown, known] = layOut({ layers, paths }, SHAPE);
  assert.deepEqual(unknown!.cells, []);
  assert.deepEqual(
    known!.cells.map(({ path, size }) => [path, size]),
    [
      [1, 60],
      [undefined, 40],
    ],
  );
});

function assertNear(actual: number, expected: number): void {
  assert.ok(Math.abs(actual - expected) <= expected * 1e-6, `${actual} instead of ${expected}`);
}

function isWithin(inner: Rectangle, outer: Rectangle): boolean {
  const slack = 1e-6;
  return (
    inner.x >= outer.x - slack &&
    inner.y >= outer.y - slack &&
    inner.x + inner.width <= outer.x + outer.width + slack &&
    inner.y + inner.height <= outer.y + outer.height + slack
  );
}
