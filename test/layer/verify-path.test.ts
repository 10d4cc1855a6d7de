import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseDigest } from '../../src/digest.ts';
import type { StoreLayerSource } from '../../src/layer/layer-source.ts';
import { NarHasher } from '../../src/layer/nar-hasher.ts';
import { digestLayer, scanPaths } from '../support/scanned.ts';
import { temporaryDirectory } from '../support/temporary.ts';

const ownership = { mtimeSeconds: 1, uid: 0, gid: 0, uname: 'root', gname: 'root' };
const STORE_PATH = '/nix/store/00000000000000000000000000000000-x';

/** Made by `nix-hash --type sha256` (Nix 2.8) of the tree that `makeTree` makes. */
const NAR_HASH = parseDigest('sha256:949d18a18d5c8811af494dc59a444e42356a01baa4c0777088fca580bc8ff3c7');

test('a path whose files are as its store says passes, also where NAR and tar order names differently', async (context) => {
  const root = temporaryDirectory(context);
  makeTree(join(root, STORE_PATH));
  const plain = await layerOf(root);
  const verified = { ...plain, paths: plain.paths.map((path) => ({ ...path, narHash: NAR_HASH })) };
  assert.deepEqual(await digestLayer(verified), await digestLayer(plain));
});

test('a changed byte, mode or target is noticed, and the store path named', async (context) => {
  const changes: ((path: string) => void)[] = [
    (path) => writeFileSync(join(path, 'a', 'file'), 'Hello\n'),
    (path) => chmodSync(join(path, 'a', 'file'), 0o755),
    (path) => writeFileSync(join(path, 'new'), ''),
  ];
  for (const change of changes) {
    const root = temporaryDirectory(context);
    makeTree(join(root, STORE_PATH));
    change(join(root, STORE_PATH));
    const layer = await layerOf(root);
    const verified = { ...layer, paths: layer.paths.map((path) => ({ ...path, narHash: NAR_HASH })) };
    await assert.rejects(digestLayer(verified), (error: { code?: string; message: string }) => {
      return error.code === 'STORE_PATH_MODIFIED' && error.message.includes(STORE_PATH);
    });
  }
});

test('a file alone is a NAR, too', () => {
  const hasher = new NarHasher();
  hasher.entry({ kind: 'file', path: '', mode: 0o444, size: 6 });
  hasher.content(Buffer.from('hello\n'));
  hasher.endFile({ path: '', size: 6 });
  assert.equal(hasher.finish(), 'sha256:1c37d01af40be2e80691de3cc3df44377a699afbb17c68f080964b2fd071fc13');
});

function makeTree(path: string): void {
  mkdirSync(join(path, 'a', 'empty'), { recursive: true });
  writeFileSync(join(path, 'a', 'file'), 'hello\n');
  writeFileSync(join(path, 'a', 'run'), '12345678', { mode: 0o755 });
  symlinkSync('a/file', join(path, 'link'));
  writeFileSync(Buffer.concat([Buffer.from(`${path}/`), Buffer.from([0x80])]), 'not UTF-8');
  writeFileSync(join(path, 'é'), '');
}

async function layerOf(root: string): Promise<StoreLayerSource> {
  return { kind: 'store', paths: await scanPaths([STORE_PATH], { root, ownership }), ownership };
}
