import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Memory, openDigestCache, SqliteDigestCache } from '../src/layer/digest-cache.ts';
import { type Layering, planLayers, type PlanOptions } from '../src/plan/plan-layers.ts';
import { planOnce, PLANS_VERSION } from '../src/plan-once.ts';
import type { Closure } from '../src/store/store.ts';
import { infosOf, readVectors, type VectorPath } from './plan/graphs.ts';
import { temporaryDirectory } from './support/temporary.ts';

/** Whoever changes plans makes both anew: the version, so that no plan of before is taken, and the digest of all golden ones. */
const GOLDEN: Readonly<Record<number, string>> = {
  1: '070c7ee041d9f41fe42cb4abe7182396a532fa22aebc5e38f35191de4d186c8e',
};

const OPTIONS: PlanOptions = { layering: { kind: 'steady' }, maxLayers: 40, baseLayers: 0 };

function closure(): Closure {
  const { graphs } = readVectors('auto-layer.json') as {
    readonly graphs: Readonly<Record<string, readonly VectorPath[]>>;
  };
  return { storeDir: '/nix/store', roots: [], paths: infosOf(graphs['packages-561']!) };
}

class Recorder implements Memory {
  readonly entries = new Map<string, string>();
  added = 0;

  find(key: string): string | undefined {
    return this.entries.get(key);
  }

  add(key: string, entry: string): void {
    this.added += 1;
    this.entries.set(key, entry);
  }
}

test('plans of another version are not taken', () => {
  const plans = JSON.stringify(readVectors('plans.json'));
  assert.equal(createHash('sha256').update(plans).digest('hex'), GOLDEN[PLANS_VERSION]);
});

test('a plan that was made before is the one that would be made', () => {
  const pipeline = ['popularity_contest'];
  const layerings: readonly Layering[] = [
    { kind: 'steady' },
    { kind: 'auto' },
    { kind: 'popularity' },
    { kind: 'pipeline', pipeline: [pipeline, ['limit_layers', 20]] },
  ];
  for (const layering of layerings) {
    const memory = new Recorder();
    const options = { ...OPTIONS, layering };
    const made = planLayers(closure(), options);
    let makes = 0;
    const onMake = (): void => void (makes += 1);
    assert.deepEqual(planOnce(closure(), options, { memory, onMake }), made);
    assert.deepEqual(planOnce(closure(), options, { memory, onMake }), made);
    assert.deepEqual([memory.added, makes], [1, 1], layering.kind);
  }
});

test('it keeps what the next plan is told', () => {
  const memory = new Recorder();
  const layers = planLayers(closure(), OPTIONS).layers.map(({ paths }) => paths.map(({ path }) => path));
  const options: PlanOptions = { ...OPTIONS, layering: { kind: 'steady', previous: { layers } } };
  const made = planOnce(closure(), options, { memory });
  assert.deepEqual(planOnce(closure(), options, { memory }), made);
  assert.equal(memory.added, 1);
  planOnce(closure(), OPTIONS, { memory });
  assert.equal(memory.added, 2, 'without the image before it is another plan');
});

test('another closure, and other wishes, have other plans', () => {
  const memory = new Recorder();
  const { paths, ...rest } = closure();
  const [first, ...others] = paths;
  planOnce({ paths, ...rest }, OPTIONS, { memory });
  planOnce({ paths: [{ ...first!, narSize: first!.narSize + 1 }, ...others], ...rest }, OPTIONS, { memory });
  planOnce({ paths: [{ ...first!, ca: 'fixed:r:sha256:x' }, ...others], ...rest }, OPTIONS, { memory });
  planOnce({ paths, ...rest }, { ...OPTIONS, maxLayers: 41 }, { memory });
  planOnce({ paths, ...rest }, { ...OPTIONS, minLayerSize: 1_000_000 }, { memory });
  assert.equal(memory.added, 5);
});

test('what is not a plan of the closure is not believed', () => {
  const made = planLayers(closure(), OPTIONS);
  const memory = new Recorder();
  planOnce(closure(), OPTIONS, { memory });
  const [[key, entry] = ['', '']] = memory.entries;
  const { layers } = JSON.parse(entry) as { layers: { paths: number[] }[] };
  for (const paths of [[], [0, 0], [561], [-1], [0.5]]) {
    memory.entries.set(key, JSON.stringify({ layers: [{ ...layers[0], paths }, ...layers.slice(1)] }));
    assert.deepEqual(planOnce(closure(), OPTIONS, { memory }), made);
  }
});

test('a file remembers them, and forgets them with the layers', (context) => {
  const file = join(temporaryDirectory(context), 'digests.sqlite');
  const use = <T>(todayDays: number, with_: (cache: SqliteDigestCache) => T): T => {
    const cache = openDigestCache(file, todayDays);
    assert.ok(cache instanceof SqliteDigestCache);
    try {
      return with_(cache);
    } finally {
      cache.close();
    }
  };
  const made = use(1000, (cache) => planOnce(closure(), OPTIONS, { memory: cache.plans }));
  use(1000, ({ plans }) => {
    const memory: Memory = { find: (key) => plans.find(key), add: () => assert.fail('it was there') };
    assert.deepEqual(planOnce(closure(), OPTIONS, { memory }), made);
  });
  use(1100, (cache) => cache.prune(90));
  const again = new Recorder();
  use(1100, ({ plans }) =>
    planOnce(closure(), OPTIONS, {
      memory: { find: (key) => plans.find(key), add: (...entry) => again.add(...entry) },
    }),
  );
  assert.equal(again.added, 1);
});
