import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareImages, type SeenImage, type SeenLayer } from '../../src/plan/update-cost.ts';
import { describeCause, findCauses } from '../../src/plan/update-causes.ts';
import { renderUpdateCost } from '../../src/plan/update-table.ts';
import { changesComment, parseChangesComment, parsePlanDocument } from '../../src/plan/plan-document.ts';

/** A store path of a build, told apart by one character. */
const path = (name: string, build = '0'): string => `/nix/store/${build.repeat(32)}-${name}`;

interface LayerOptions {
  readonly stored?: string;
  readonly size?: number;
}

function storeLayer(paths: readonly string[], { stored, size = 10 }: LayerOptions = {}): SeenLayer {
  const diffID = `tar of ${paths.join()}`;
  return { kind: 'store', diffID, digest: stored ?? diffID, size, paths, label: 'layer' };
}

function image(layers: readonly SeenLayer[], sizes: Readonly<Record<string, number>> = {}): SeenImage {
  return { layers, pathSizes: new Map(Object.entries(sizes)), measure: 'stored' };
}

function plan({ layers, pathSizes }: SeenImage): SeenImage {
  const planned = layers.map((layer) => ({ ...layer, diffID: undefined, digest: undefined }));
  return { layers: planned, pathSizes, measure: 'nar' };
}

const OPENSSL = [path('openssl-3.0.13'), path('openssl-3.0.14', '1')] as const;
const CURL = [path('curl-8.1'), path('curl-8.1', '1')] as const;
const GLIBC = path('glibc-2.40');
const OLD = image([
  storeLayer([GLIBC], { size: 100 }),
  storeLayer([OPENSSL[0]]),
  storeLayer([CURL[0]], { size: 3 }),
]);
const NEW = image(
  [
    storeLayer([GLIBC], { size: 100 }),
    storeLayer([OPENSSL[1]], { size: 11 }),
    storeLayer([CURL[1]], { size: 4 }),
  ],
  { [OPENSSL[1]]: 9, [CURL[1]]: 2 },
);
const REFERENCES = new Map([
  [GLIBC, [GLIBC]],
  [OPENSSL[1], [GLIBC]],
  [CURL[1], [CURL[1], GLIBC, OPENSSL[1]]],
]);

test('an image compared with itself costs nothing', () => {
  for (const [a, b] of [
    [OLD, OLD],
    [plan(OLD), OLD],
    [OLD, plan(OLD)],
    [plan(OLD), plan(OLD)],
  ] as const) {
    const { pull, unpack, firstChangedLayer, layers, bound } = compareImages(a, b);
    assert.deepEqual(
      { pull, unpack, firstChangedLayer, bound },
      { pull: 0, unpack: 0, firstChangedLayer: undefined, bound: 0 },
    );
    assert.deepEqual(new Set(layers.map(({ state }) => state)), new Set(['kept']));
  }
});

test('what is pulled is what the old image lacks, and what is unpacked all from there upward', () => {
  for (const fresh of [NEW, plan(NEW)]) {
    const cost = compareImages(OLD, fresh, { references: REFERENCES });
    assert.equal(cost.pull, 15);
    assert.equal(cost.unpack, 15);
    assert.equal(cost.firstChangedLayer, 2);
    assert.equal(cost.bound, 11);
    assert.deepEqual(
      cost.layers.map(({ state, previousPlace }) => [state, previousPlace]),
      [
        ['kept', 1],
        ['changed', 2],
        ['changed', 3],
      ],
    );
  }
});

test('layers that move are not pulled and are unpacked; those without a successor are gone', () => {
  const moved = image([NEW.layers[1]!, OLD.layers[0]!]);
  const cost = compareImages(OLD, moved);
  assert.equal(cost.pull, 11);
  assert.equal(cost.unpack, 111);
  assert.deepEqual(
    cost.layers.map(({ state }) => state),
    ['changed', 'kept', 'gone'],
  );
});

test('a blob that is there twice is pulled once', () => {
  const twice = image([storeLayer([path('a')]), storeLayer([path('a')])]);
  assert.equal(compareImages(OLD, twice).pull, 10);
});

test('a layer compressed otherwise is pulled; one that a file holds uncompressed is not', () => {
  const gzip = image([storeLayer([GLIBC], { stored: 'gzip', size: 5 })]);
  const zstd = image([storeLayer([GLIBC], { stored: 'zstd', size: 4 })]);
  const plain = image([storeLayer([GLIBC])]);
  assert.equal(compareImages(gzip, zstd).pull, 4);
  assert.equal(compareImages(gzip, zstd).unpack, 0);
  assert.equal(compareImages(plain, zstd).pull, 0);
});

test('images of others are compared layer by layer', () => {
  const other = (diffID: string): SeenLayer => ({
    kind: 'other',
    diffID,
    digest: diffID,
    size: 7,
    paths: [],
    label: 'RUN',
  });
  const cost = compareImages(image([other('a'), other('b')]), image([other('a'), other('c'), other('d')]));
  assert.deepEqual(
    cost.layers.map(({ state }) => state),
    ['kept', 'changed', 'new'],
  );
  assert.equal(cost.pull, 14);
  assert.equal(cost.why, undefined);
});

test('references tell what changed by itself, and what it re-sends', () => {
  const { why } = compareImages(OLD, NEW, { references: REFERENCES });
  assert.deepEqual(why?.byThemselves, [OPENSSL[1]]);
  assert.deepEqual(why?.rebuilt, [CURL[1]]);
  assert.equal(why.causes.length, 1);
  assert.equal(describeCause(why.causes[0]!), 'openssl 3.0.13 -> 3.0.14');
  assert.deepEqual([why.causes[0]!.resent, why.causes[0]!.layers], [2, 2]);
});

test('without references names tell, and nothing says what re-sends what', () => {
  const { why } = compareImages(OLD, NEW);
  assert.equal(why?.toldBy, 'names');
  assert.deepEqual(why.rebuilt, [CURL[1]]);
  assert.equal(why.causes[0]!.resent, undefined);
});

test('a path of the same name and version whose references are old was built anew', () => {
  const [before, after] = [path('app-1.0'), path('app-1.0', '1')];
  const { causes, rebuilt } = findCauses(
    { oldPaths: new Set([before, GLIBC]), newLayers: [[after], [GLIBC]] },
    { references: new Map([[after, [after, GLIBC]]]) },
  );
  assert.deepEqual(rebuilt, []);
  assert.deepEqual(causes.map(describeCause), ['app 1.0 built anew']);
});

test('the table fits 80 columns and names the cause', () => {
  const long = { ...NEW, layers: NEW.layers.map((layer) => ({ ...layer, label: 'x'.repeat(200) })) };
  const text = renderUpdateCost(compareImages(OLD, long, { references: REFERENCES }));
  for (const line of text.split('\n')) assert.ok(line.length <= 80, line);
  assert.match(text, /openssl 3\.0\.13 -> 3\.0\.14 re-sends 2 paths in 2 layers/);
});

test('the record of changes survives the history, and a damaged one counts as none', () => {
  const record = { steps: 3, changed: { openssl: '5' } };
  assert.deepEqual(parseChangesComment(changesComment(record)), record);
  for (const comment of [
    'customisation layer',
    'phyllo changes: {',
    'phyllo changes: {"steps":-1,"changed":{}}',
  ])
    assert.equal(parseChangesComment(comment), undefined);
});

test('a document that is no plan is PREVIOUS_INVALID', () => {
  assert.throws(() => parsePlanDocument({ name: 'hello' }, 'image.json'), { code: 'PREVIOUS_INVALID' });
});
