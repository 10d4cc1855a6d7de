import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { PhylloError } from '../../src/errors.ts';
import { openExportedGraph, type ExportedGraphOptions } from '../../src/store/exported-graph.ts';
import { baseName } from '../../src/store/store-path.ts';
import { readGraph } from '../../src/store/graph-schema.ts';
import { failsWith, succeedsOrFailsProperly } from './support/errors.ts';
import { pathInfo, storePath } from './support/paths.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';

const temporary = temporaryDirectory();
const file = join(temporary, 'graph.json');
const app = pathInfo('app', ['app', 'lib']);
const lib = pathInfo('lib');
const sri = (narHash: string) => `sha256-${Buffer.from(narHash.slice(7), 'hex').toString('base64')}`;

function open(json: unknown, options: Omit<ExportedGraphOptions, 'file'> = {}) {
  writeFileSync(file, typeof json === 'string' ? json : JSON.stringify(json));
  return openExportedGraph({ file, ...options });
}

const forms: Readonly<Record<string, unknown>> = {
  'a list': [app, lib],
  'a list with an invalid path': [app, { path: storePath('gone'), valid: false }, { ...lib, valid: true }],
  'a list that repeats itself': [app, lib, app],
  '.attrs.json': {
    name: 'x',
    exportReferencesGraph: { one: [app.path], two: [lib.path] },
    one: [app, lib],
    two: [lib],
  },
  'an object': {
    [app.path]: app,
    [lib.path]: { ...lib, narHash: sri(lib.narHash) },
    [storePath('gone')]: null,
  },
  'a store directory apart': {
    version: 2,
    storeDir: '/nix/store',
    info: {
      [baseName(app.path)]: { ...app, references: app.references.map(baseName), ca: null },
      [baseName(lib.path)]: {
        ...lib,
        narHash: { algorithm: 'sha256', format: 'base16', hash: lib.narHash.slice(7) },
        ca: { method: 'nar' },
      },
    },
  },
};

for (const [form, json] of Object.entries(forms)) {
  test(`a graph is read from ${form}`, async () => {
    const store = await open(json);
    const closure = await store.closure([app.path]);
    assert.deepEqual(closure, {
      storeDir: '/nix/store',
      roots: [app.path],
      paths: [app, lib].sort((a, b) => (a.path < b.path ? -1 : 1)),
    });
    store.close();
  });
}

test('one graph of several can be chosen', async () => {
  const store = await open(forms['.attrs.json'], { graphName: 'two' });
  await store.closure([lib.path]);
  await assert.rejects(store.closure([app.path]), failsWith('STORE_PATH_UNKNOWN', app.path));
  await assert.rejects(
    open(forms['.attrs.json'], { graphName: 'three' }),
    failsWith('GRAPH_INVALID', 'three', 'one, two'),
  );
  await assert.rejects(open([app], { graphName: 'three' }), failsWith('GRAPH_INVALID', 'three'));
});

test('the store directory comes from the paths, which must share it', async () => {
  const path = storePath('x', '/home/me/nix/store');
  const store = await open([{ ...lib, path, references: [] }]);
  assert.equal(store.storeDir, '/home/me/nix/store');
  assert.equal((await open([])).storeDir, '/nix/store');
  await assert.rejects(open([lib, { ...lib, path, references: [] }]), failsWith('GRAPH_INVALID', '[1].path'));
  await assert.rejects(
    open([lib], { storeDir: '/home/me/nix/store' }),
    failsWith('GRAPH_INVALID', '[0].path'),
  );
});

test('files are read below the root', async () => {
  const store = await open([lib], { storeRoot: '/elsewhere' });
  assert.deepEqual(store.treeSource(lib.path), { kind: 'directory', location: `/elsewhere${lib.path}` });
  assert.equal(await store.findByHashPart(baseName(lib.path).slice(0, 32)), lib.path);
  assert.equal(await store.findByHashPart('0'.repeat(32)), undefined);
});

for (const [problem, json, place] of [
  ['no JSON', '{', file],
  ['a number', 3, file],
  ['a bad hash', [{ ...lib, narHash: 'x' }], '[0].narHash'],
  ['a hash of another kind', [{ ...lib, narHash: { algorithm: 'sha512', hash: 'x' } }], '[0].narHash'],
  ['no size', [app, { ...lib, narSize: undefined }], '[1].narSize'],
  ['a size of zero', [{ ...lib, narSize: 0 }], '[0].narSize'],
  ['a size that is no integer', [{ ...lib, narSize: 2 ** 60 }], '[0].narSize'],
  ['a bad reference', [{ ...lib, references: [lib.path, '/x'] }], '[0].references[1]'],
  ['a bad path', [{ ...lib, path: 'x' }], '[0]'],
  ['null in a list', [[]], '[0]'],
  ['info that differs', [lib, { ...lib, narSize: 1 }], '[1]'],
  ['a graph that is no list', { exportReferencesGraph: { c: [] }, c: 1 }, 'c'],
] as const) {
  test(`rejected: ${problem}`, async () => {
    await assert.rejects(open(json), failsWith('GRAPH_INVALID', place));
  });
}

test('problems are named together, and not endlessly', async () => {
  const broken = Array.from({ length: 30 }, () => ({ ...lib, narHash: 1 }));
  await assert.rejects(open(broken), failsWith('GRAPH_INVALID', '[0].narHash', '[9].narHash', '20 more'));
});

test('a file that is not there is unreadable', async () => {
  await assert.rejects(
    openExportedGraph({ file: join(temporary, 'none') }),
    failsWith('FILE_UNREADABLE', 'none'),
  );
});

test('any JSON is read or rejected', async () => {
  const changed = fc
    .tuple(fc.constantFrom(...Object.keys(app)), fc.jsonValue())
    .map(([key, value]) => [lib, { ...app, [key]: value }]);
  fc.assert(
    fc.property(fc.jsonValue(), (json) => {
      succeedsOrFailsProperly(() => readGraph(json, { file, graphName: undefined }));
    }),
  );
  await fc.assert(
    fc.asyncProperty(changed, async (json) => {
      await open(json).catch((error: unknown) => assert.ok(error instanceof PhylloError, String(error)));
    }),
  );
});
