import assert from 'node:assert/strict';
import { test } from 'node:test';
import { layerTarSize, type StoreLayerSource } from '../../src/layer/layer-source.ts';
import { archiveCases, layerTarCases } from '../support/golden.ts';
import { digestLayer, latin1, scanPaths } from '../support/scanned.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { makeStorePaths } from '../support/vector-tree.ts';

for (const { name, note, ...vector } of layerTarCases()) {
  test(`layer tar: ${name} (${note})`, async (context) => {
    const root = temporaryDirectory(context);
    makeStorePaths(root, vector.storePaths);
    const { mtime, uid, gid, uname, gname } = vector;
    const ownership = { mtimeSeconds: mtime, uid, gid, uname: latin1(uname), gname: latin1(gname) };
    const layer: StoreLayerSource = {
      kind: 'store',
      paths: await scanPaths(vector.layer, { root, ownership }),
      ownership,
    };

    assert.equal(layerTarSize(layer), vector.expected.size, 'the size is known before any content is read');
    const { diffID, size } = await digestLayer(layer);
    assert.deepEqual(
      { diffID, size },
      { diffID: `sha256:${vector.expected.sha256}`, size: vector.expected.size },
    );
  });
}

interface Conf {
  readonly store_layers: readonly (readonly string[])[];
  readonly mtime: string;
  readonly uid: string;
  readonly gid: string;
  readonly uname: string;
  readonly gname: string;
}

for (const { name, note, conf: text, storePaths, expected } of archiveCases()) {
  const { diffIds } = expected;
  if (diffIds === undefined) continue;
  test(`diff IDs of nixpkgs' archive: ${name} (${note})`, async (context) => {
    const root = temporaryDirectory(context);
    makeStorePaths(root, storePaths);
    const conf = JSON.parse(text) as Conf;
    const ownership = {
      mtimeSeconds: Math.floor(Date.parse(conf.mtime) / 1000),
      uid: Number(conf.uid),
      gid: Number(conf.gid),
      uname: latin1(conf.uname),
      gname: latin1(conf.gname),
    };
    const made = [];
    for (const layer of conf.store_layers) {
      const paths = await scanPaths(layer, { root, ownership });
      made.push((await digestLayer({ kind: 'store', paths, ownership })).diffID);
    }
    // Base layers come before ours, the customisation layer after.
    assert.deepEqual(diffIds.slice(-1 - made.length, -1), made);
  });
}
