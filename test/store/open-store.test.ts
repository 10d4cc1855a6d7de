import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openStore } from '../../src/store/open-store.ts';
import { failsWith } from './support/errors.ts';
import { createDatabase, register } from './support/nix-schema.ts';
import { pathInfo } from './support/paths.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';

const temporary = temporaryDirectory();
const lib = pathInfo('lib');

const root = join(temporary, 'root');
const database = createDatabase(root);
register(database, [lib]);
database.close();

const cache = join(temporary, 'cache');
mkdirSync(cache);
writeFileSync(join(cache, 'nix-cache-info'), 'StoreDir: /nix/store\n');

const graph = join(temporary, 'graph.json');
writeFileSync(graph, JSON.stringify([lib]));

test('a directory is another root', async () => {
  const store = await openStore({ store: root });
  assert.equal((await store.closure([lib.path])).paths.length, 1);
  assert.deepEqual(store.treeSource(lib.path), { kind: 'directory', location: `${root}${lib.path}` });
  store.close();
});

test('a graph has the path info, and the store the files', async () => {
  for (const [place, location] of [
    ['auto', lib.path],
    [root, `${root}${lib.path}`],
  ] as const) {
    const store = await openStore({ store: place, graph });
    assert.equal((await store.closure([lib.path])).paths.length, 1);
    assert.deepEqual(store.treeSource(lib.path), { kind: 'directory', location });
  }
});

test('file:// is a binary cache, with or without parameters', async () => {
  for (const place of [`file://${cache}`, `file://${cache}?compression=zstd`]) {
    assert.equal((await openStore({ store: place })).storeDir, '/nix/store');
  }
});

for (const place of [
  'ssh-ng://host',
  'https://cache.example,relative',
  'https://',
  'file:///a?priority=first',
  '',
]) {
  test(`not supported: ${place || 'an empty name'}`, async () => {
    await assert.rejects(openStore({ store: place }), failsWith('STORE_UNSUPPORTED'));
  });
}

test('a graph and a binary cache do not go together', async () => {
  await assert.rejects(openStore({ store: `file://${cache}`, graph }), failsWith('STORE_UNSUPPORTED', cache));
});

test('a place without a store is named', async () => {
  const none = join(temporary, 'none');
  await assert.rejects(openStore({ store: none }), failsWith('DATABASE_UNREADABLE', none));
  await assert.rejects(openStore({ store: `file://${none}` }), failsWith('BINARY_CACHE_INVALID', none));
  await assert.rejects(openStore({ store: root, graph: none }), failsWith('FILE_UNREADABLE', none));
});
