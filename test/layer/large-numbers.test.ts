import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeGnuHeader, gnuHeaderSize } from '../../src/layer/gnu-header.ts';
import { encodePaxHeader, paxHeaderSize } from '../../src/layer/pax-header.ts';
import { tarSize, type TarMember } from '../../src/layer/tar-member.ts';
import { layoutArchive } from '../../src/transport/archive-layout.ts';

const ownership = { mtimeSeconds: 1, uid: 0, gid: 0, uname: 'root', gname: 'root' };
const file = (size: number): TarMember => ({
  kind: 'file',
  name: '/nix/store/x',
  mode: 0o444,
  size,
  linkName: '',
});

test('a file of 8 GiB has its size in an extended header, one byte less has not', () => {
  const limit = 8 * 2 ** 30;
  assert.equal(paxHeaderSize(file(limit - 1), ownership), 512);
  const blocks = encodePaxHeader(file(limit), ownership);
  assert.equal(blocks.length, paxHeaderSize(file(limit), ownership));
  assert.equal(blocks.toString('latin1', 512, 531), '19 size=8589934592\n');
  assert.equal(blocks.toString('latin1', 1024 + 124, 1024 + 136), '00000000000\0');
});

test('GNU headers take sizes and times beyond octal in base 256', () => {
  const header = encodeGnuHeader(file(2 ** 40), { mtimeSeconds: -1, uid: 0, gid: 2_097_152 });
  assert.equal(header.length, gnuHeaderSize(file(2 ** 40)));
  assert.equal(header.toString('hex', 124, 136), '800000000000010000000000');
  assert.equal(header.toString('hex', 136, 148), 'f'.repeat(24));
  assert.equal(header.toString('hex', 116, 124), '8000000000200000');
});

test('sizes beyond 2^32 stay exact', () => {
  assert.equal(tarSize(2 ** 45) - 2 ** 45 < 10_240 + 1024, true);
  const { headers, contents, documents } = layoutArchive([2 ** 40, 10_240]);
  assert.deepEqual(headers, [0, 1536 + 2 ** 40]);
  assert.deepEqual(contents, [1536, 1536 + 2 ** 40 + 512]);
  assert.equal(documents, 1536 + 2 ** 40 + 512 + 10_240);
});
