import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { encodeCapabilities } from '../../src/image/capabilities.ts';
import { FileSink } from '../../src/layer/chunk-sink.ts';
import { layerTarSize, type LayerSource } from '../../src/layer/layer-source.ts';
import type { PermissionRule } from '../../src/layer/permissions.ts';
import { writeLayer } from '../../src/layer/write-layer.ts';
import { scanPaths } from '../support/scanned.ts';
import { temporaryDirectory } from '../support/temporary.ts';

const ownership = { mtimeSeconds: 1, uid: 0, gid: 0, uname: 'root', gname: 'root' };
const STORE_PATH = '/nix/store/00000000000000000000000000000000-app';

const RULES: readonly PermissionRule[] = [
  { regex: '/bin/', mode: 0o4755, uid: 5, uname: 'app', xattrs: [['user.note', '\xc3\xa9\0=']] },
  { regex: 'link$', mode: 0o600, gid: 3_000_000 },
  { regex: '/var$', mode: 0o1777 },
  { regex: '/bin/b', uid: 6 },
];

test('permissions are in the headers, and the size is known before', async (context) => {
  const root = temporaryDirectory(context);
  mkdirSync(`${root}${STORE_PATH}/bin`, { recursive: true });
  mkdirSync(`${root}${STORE_PATH}/var`);
  for (const name of ['a', 'b', 'link']) writeFileSync(`${root}${STORE_PATH}/bin/${name}`, name);
  chmodSync(`${root}${STORE_PATH}/bin/a`, 0o555);
  const paths = await scanPaths([STORE_PATH], { root, ownership, permissions: RULES });
  const layer: LayerSource = { kind: 'store', paths, ownership };
  const file = `${root}/layer.tar`;
  const size = await writeLayer(layer, new FileSink([{ file, fd: openSync(file, 'w'), offset: 0 }]));
  assert.equal(size, layerTarSize(layer));
  const listing = execFileSync('tar', ['-tvPf', file, '--numeric-owner', '--xattrs', '--xattrs-include=*'])
    .toString()
    .split('\n')
    .filter((line) => line.includes(STORE_PATH))
    .map((line) => line.replaceAll(/ +/g, ' '));
  const entries = listing.map((line) => [
    ...line.split(' ').slice(0, 2),
    line.slice(line.indexOf(STORE_PATH) + STORE_PATH.length),
  ]);
  assert.deepEqual(entries, [
    ['drwxr-xr-x', '0/0', '/'],
    ['drwxr-xr-x', '0/0', '/bin/'],
    ['-rwsr-xr-x*', '5/0', '/bin/a'],
    ['-rwsr-xr-x*', '6/0', '/bin/b'],
    ['-rw-------*', '5/3000000', '/bin/link'],
    ['drwxrwxrwt', '0/0', '/var/'],
  ]);
});

test('capabilities are what setcap writes', () => {
  const of = (text: string) => encodeCapabilities(text)?.toString('hex');
  // As `getfattr -e hex -n security.capability` shows it after setcap.
  assert.equal(of('cap_net_bind_service=ep'), '0100000200040000000000000000000000000000');
  assert.equal(of('cap_net_raw,cap_bpf+eip'), '0100000200200000002000008000000080000000');
  assert.equal(of('cap_chown=p'), '0000000201000000000000000000000000000000');
  for (const text of ['', 'cap_nothing=ep', 'cap_chown', 'chown=ep', 'cap_chown=x'])
    assert.equal(of(text), undefined);
});
