/** A plan as a table, as JSON and as a graph. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeReason } from '../../src/plan/describe-plan.ts';
import { describeSize } from '../../src/plan/describe-size.ts';
import type { ExtraLayer } from '../../src/plan/plan-rows.ts';
import { planToDot } from '../../src/plan/plan-dot.ts';
import { planToJson } from '../../src/plan/plan-json.ts';
import { planLayers } from '../../src/plan/plan-layers.ts';
import { renderPlanTable } from '../../src/plan/plan-table.ts';
import { closureOf, storePath, written } from './graphs.ts';

const GRAPH = written({
  'app-with-a-name-that-goes-on-and-on-and-on-and-never-comes-to-an-end-1.0': [5, 'lib'],
  lib: [2 ** 20, 'libc', 'lib'],
  libc: [30 * 2 ** 20],
});
const { layers } = planLayers(closureOf(GRAPH), { layering: { kind: 'auto' }, maxLayers: 3, baseLayers: 0 });
const EXTRA: readonly ExtraLayer[] = [
  { kind: 'customisation', size: 2 ** 20, why: 'contents and files of its own' },
  { kind: 'base', why: 'alpine' },
];

test('no line of a table is longer than the terminal is wide', () => {
  for (const columns of [60, 80, 132]) {
    for (const line of renderPlanTable(layers, { columns, showPaths: true, extraLayers: EXTRA }).split(
      '\n',
    )) {
      assert.ok(line.length <= columns, line);
    }
  }
});

test('a table has a line for each layer and path, in the order of the image', () => {
  const lines = renderPlanTable(layers, { showPaths: true, extraLayers: EXTRA }).trimEnd().split('\n');
  assert.equal(lines.length, 1 + 4 + 3 + 1);
  assert.match(lines[1]!, /^ {3}1 .*base: alpine$/);
  assert.match(lines[2]!, /30\.0 MiB +93\.7% +█{10} +1 +needed by libc$/);
  assert.match(lines[3]!, /-libc$/);
  assert.match(lines.at(-2)!, /customisation: contents and files/);
  assert.equal(lines.at(-1), '4 layers, 3 store paths, 32.0 MiB');
});

test('colour is only where it is asked for', () => {
  assert.ok(!renderPlanTable(layers).includes('\u001B'));
  assert.ok(renderPlanTable(layers, { colour: true }).includes('\u001B['));
});

test('JSON has all of a plan', () => {
  const json = planToJson(layers, { extraLayers: EXTRA, warnings: ['one'] });
  assert.deepEqual(
    json.layers.map(({ kind }) => kind),
    ['base', 'store', 'store', 'customisation'],
  );
  assert.deepEqual(json.warnings, ['one']);
  const [, first] = json.layers;
  assert.deepEqual(first, {
    kind: 'store',
    paths: [storePath('libc')],
    narSize: 30 * 2 ** 20,
    share: (30 * 2 ** 20) / json.narSize,
    reason: { kind: 'shared', users: [storePath('libc')] },
    why: 'needed by libc',
    pathSizes: { [storePath('libc')]: 30 * 2 ** 20 },
  });
  assert.ok(Math.abs(json.layers.reduce((sum, { share }) => sum + share, 0) - 1) < 1e-9);
  assert.deepEqual(planToJson([]), { layers: [], narSize: 0, warnings: [] });
});

test('a graph has layers as clusters, and no arrow from a path to itself', () => {
  const dot = planToDot(layers);
  assert.equal(dot.match(/subgraph cluster_/g)?.length, 2);
  assert.equal(dot.match(/ -> /g)?.length, 2);
  assert.equal(dot.match(/label="libc\\n30\.0 MiB"/g)?.length, 1);
});

test('reasons are one line', () => {
  assert.equal(describeReason({ kind: 'popular', popularity: '1234567' }), 'popularity 1,234,567');
  assert.equal(describeReason({ kind: 'popular', popularity: '1234567890123' }), 'popularity 1.23e12');
  assert.equal(describeReason({ kind: 'shared', users: [] }), 'no large path needs it');
  const users = ['a', 'b', 'c'].map(storePath);
  assert.equal(describeReason({ kind: 'shared', users }), 'shared by a and 2 more large paths');
  assert.equal(describeReason({ kind: 'shared', users: users.slice(1) }), 'shared by b and c');
  assert.equal(describeReason({ kind: 'pipeline', branch: 'main.rest' }), 'pipeline: main.rest');
  assert.equal(describeReason({ kind: 'explicit', index: 2 }), 'given as layers[2]');
  const reasons = [{ kind: 'rest' }, { kind: 'rest' }] as const;
  assert.match(describeReason({ kind: 'joined', reasons }), /^2 small layers joined: the rest/);
});

test('sizes have at most ten characters', () => {
  assert.equal(describeSize(1023), '1023 B');
  assert.equal(describeSize(1024), '1.0 KiB');
  assert.equal(describeSize(1024 ** 2 - 1), '1.0 MiB');
  for (let bytes = 1; bytes <= Number.MAX_SAFE_INTEGER; bytes = 3 * bytes + 1)
    assert.ok(describeSize(bytes).length <= 10);
});
