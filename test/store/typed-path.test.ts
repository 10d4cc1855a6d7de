import assert from 'node:assert/strict';
import { test } from 'node:test';
import { baseName, hashPart } from '../../src/store/store-path.ts';
import { resolveTypedPath } from '../../src/store/typed-path.ts';
import { failsWith } from './support/errors.ts';
import { storePath } from './support/paths.ts';

const path = storePath('hello-2.12');
const store = {
  storeDir: '/nix/store',
  findByHashPart: (hash: string) => Promise.resolve(hash === hashPart(path) ? path : undefined),
};

for (const text of [path, hashPart(path), baseName(path)]) {
  test(`${text} is a store path`, async () => {
    assert.equal(await resolveTypedPath(text, store), path);
  });
}

test('what is none is named', async () => {
  const absent = hashPart(storePath('absent'));
  await assert.rejects(resolveTypedPath(absent, store), failsWith('STORE_PATH_UNKNOWN', absent));
  for (const text of ['hello', '', `${hashPart(path)}x`, `${path}/bin`])
    await assert.rejects(resolveTypedPath(text, store), failsWith('STORE_PATH_INVALID'));
});
