import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ChangeRecord, EMPTY_RECORD, nextRecord, recordedMasks } from '../../src/plan/change-record.ts';
import { indexReferences, type ReferenceGraph } from '../../src/plan/reference-graph.ts';
import { infosOf } from './graphs.ts';

const OLD = ['a-app-1.0', 'a-lib-1.0', 'a-data-1.0'];

test('what changed by itself is recorded, and not what changed because something below it did', () => {
  const graph = graphOf({ 'b-app-1.0': ['b-lib-1.1'], 'b-lib-1.1': [], 'a-data-1.0': [] });
  assert.deepEqual(nextRecord(graph, pathsOf(OLD), EMPTY_RECORD), { steps: 1, changed: { lib: '1' } });
});

test('a path that is new below old references changed by itself, with the same version too', () => {
  const graph = graphOf({ 'b-app-1.0': ['a-lib-1.0'], 'a-lib-1.0': [], 'a-data-1.0': [] });
  assert.deepEqual(nextRecord(graph, pathsOf(OLD), EMPTY_RECORD).changed, { app: '1' });
});

test('masks move by one step and forget what is older than 52', () => {
  const still = graphOf({ 'a-lib-1.0': [] });
  let record: ChangeRecord = nextRecord(graphOf({ 'b-lib-1.1': [] }), pathsOf(OLD), EMPTY_RECORD);
  for (let step = 2; step <= 52; step++) {
    record = nextRecord(still, pathsOf(OLD), record);
    assert.deepEqual(record, { steps: step, changed: { lib: (2 ** (step - 1)).toString(36) } });
  }
  assert.deepEqual(recordedMasks(record).get('lib'), { low: 0, high: 2 ** 25 });
  assert.deepEqual(nextRecord(still, pathsOf(OLD), record), { steps: 52, changed: {} });
});

test('what is no mask counts as no change', () => {
  for (const mask of ['', '-1', '!', 'z'.repeat(40)]) {
    assert.deepEqual(recordedMasks({ steps: 3, changed: { lib: mask } }).get('lib'), { low: 0, high: 0 });
  }
});

/** `{ 'b-app-1.0': ['b-lib-1.1'] }`: the first letter is the hash. */
function graphOf(references: Readonly<Record<string, readonly string[]>>): ReferenceGraph {
  return indexReferences(
    infosOf(
      Object.entries(references).map(([name, targets]) => ({
        path: pathOf(name),
        narSize: 1,
        references: targets.map(pathOf),
      })),
    ),
  );
}

function pathsOf(names: readonly string[]): ReadonlySet<string> {
  return new Set(names.map(pathOf));
}

function pathOf(name: string): string {
  return `/nix/store/${name[0]!.repeat(32)}${name.slice(1)}`;
}
