import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openBinaryCache } from './support/directory-store.ts';
import { baseName, hashPart, type StorePath } from '../../src/store/store-path.ts';
import type { PathInfo } from '../../src/store/store.ts';
import { failsWith } from './support/errors.ts';
import { pathInfo, storePath } from './support/paths.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';

const temporary = temporaryDirectory();
let caches = 0;

interface Described {
  readonly url?: string;
  readonly compression?: string;
  /** Whose narinfo it is called. */
  readonly as?: StorePath;
}

function newCache(cacheInfo = 'StoreDir: /nix/store\nWantMassQuery: 1\n'): string {
  caches += 1;
  const directory = join(temporary, `cache${caches}`);
  mkdirSync(directory);
  writeFileSync(join(directory, 'nix-cache-info'), cacheInfo);
  return directory;
}

function describe(
  directory: string,
  info: PathInfo,
  { url = 'nar/x.nar', compression = 'none', as = info.path }: Described = {},
) {
  const lines = [
    `StorePath: ${info.path}`,
    `URL: ${url}`,
    `Compression: ${compression}`,
    `NarHash: ${info.narHash}`,
    `NarSize: ${info.narSize}`,
    `References: ${info.references.map(baseName).join(' ')}`,
  ];
  writeFileSync(join(directory, `${hashPart(as)}.narinfo`), `${lines.join('\n')}\n`);
}

const lib = pathInfo('lib', ['lib']);
const app = pathInfo('app', ['lib']);

test('a closure is read, and says where each NAR is', async () => {
  const directory = newCache();
  describe(directory, lib, { compression: 'xz', url: 'nar/lib.nar.xz' });
  describe(directory, app);
  const store = openBinaryCache({ directory });
  const { paths, storeDir } = await store.closure([app.path]);
  assert.equal(storeDir, '/nix/store');
  assert.deepEqual(
    new Map(paths.map(({ path, references }) => [path, references])),
    new Map([app, lib].map(({ path, references }) => [path, references])),
  );
  assert.deepEqual(store.treeSource(lib.path), {
    kind: 'nar',
    location: join(directory, 'nar/lib.nar.xz'),
    compression: 'xz',
    narHash: lib.narHash,
    narSize: lib.narSize,
  });
  assert.throws(() => store.treeSource(storePath('other')), RangeError);
  assert.equal(await store.findByHashPart(hashPart(app.path)), app.path);
  assert.equal(await store.findByHashPart('0'.repeat(32)), undefined);
  assert.equal(await store.findByHashPart('../x'), undefined);
  store.close();
});

test('the store directory is the cache’s', async () => {
  assert.equal(
    openBinaryCache({ directory: newCache('StoreDir: /home/me/store/\n') }).storeDir,
    '/home/me/store',
  );
});

test('a directory that is no binary cache is named', () => {
  const none = join(temporary, 'none');
  assert.throws(() => openBinaryCache({ directory: none }), failsWith('BINARY_CACHE_INVALID', none));
  for (const text of ['', 'WantMassQuery: 1\n', 'StoreDir: \n', 'StoreDir: x\n']) {
    assert.throws(() => openBinaryCache({ directory: newCache(text) }), failsWith('BINARY_CACHE_INVALID'));
  }
});

test('missing paths are named', async () => {
  const directory = newCache();
  describe(directory, app);
  const store = openBinaryCache({ directory });
  await assert.rejects(store.closure([lib.path]), failsWith('STORE_PATH_UNKNOWN', lib.path));
  await assert.rejects(store.closure([app.path]), failsWith('CLOSURE_INCOMPLETE', lib.path, app.path));
});

test('a narinfo of another path is rejected', async () => {
  const directory = newCache();
  describe(directory, app, { as: lib.path });
  const store = openBinaryCache({ directory });
  await assert.rejects(store.closure([lib.path]), failsWith('NARINFO_INVALID', hashPart(lib.path), app.path));
  await assert.rejects(store.findByHashPart(hashPart(lib.path)), failsWith('NARINFO_INVALID', app.path));
});

for (const url of [
  '/etc/passwd',
  '../x.nar',
  'nar/../../x.nar',
  'https://example.org/x.nar',
  'file:///x',
  'nar//x',
  './x',
  'a\0b',
]) {
  test(`a NAR may not be at ${JSON.stringify(url)}`, async () => {
    const directory = newCache();
    describe(directory, lib, { url });
    await assert.rejects(
      openBinaryCache({ directory }).closure([lib.path]),
      failsWith('NARINFO_INVALID', lib.path),
    );
  });
}

for (const compression of ['lzip', 'lz4', 'toString']) {
  test(`compression ${compression} is not supported`, async () => {
    const directory = newCache();
    describe(directory, lib, { compression });
    await assert.rejects(
      openBinaryCache({ directory }).closure([lib.path]),
      failsWith('STORE_UNSUPPORTED', compression),
    );
  });
}

test('a wide closure does not run out of file descriptors', async () => {
  const directory = newCache();
  const names = Array.from({ length: 3000 }, (_, index) => `p${index}`);
  for (const name of names) describe(directory, pathInfo(name));
  describe(directory, pathInfo('top', names));
  assert.equal((await openBinaryCache({ directory }).closure([storePath('top')])).paths.length, 3001);
});
