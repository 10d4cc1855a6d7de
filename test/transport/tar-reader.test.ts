import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { PhylloError } from '../../src/errors.ts';
import { encodeForeignHeader } from '../../src/layer/foreign-header.ts';
import { encodePaxHeader } from '../../src/layer/pax-header.ts';
import { TYPE_FLAGS } from '../../src/layer/tar-member.ts';
import { readSlice } from '../../src/transport/file-slice.ts';
import { type ForeignMember, readTar } from '../../src/transport/tar-reader.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { makeHeader, makeTar, sliceOf, type TestMember } from './support/archives.ts';

const LONG = `${'directory/'.repeat(15)}file`;

for (const format of ['v7', 'oldgnu', 'gnu', 'ustar', 'posix']) {
  test(`reads what GNU tar writes: ${format}`, (context) => {
    const directory = temporaryDirectory(context);
    const names = format === 'v7' ? ['short'] : ['short', LONG];
    mkdirSync(join(directory, 'in', dirname(LONG)), { recursive: true });
    for (const name of names) writeFileSync(join(directory, 'in', name), `content of ${name}`);
    symlinkSync('elsewhere', join(directory, 'in/link'));
    const file = join(directory, 'out.tar');
    const owner = ['--owner=someone:1000', '--group=others:100', '--mtime=@1600000000', '--mode=0640'];
    execFileSync('tar', [
      '-C',
      join(directory, 'in'),
      `--format=${format}`,
      ...owner,
      '-cf',
      file,
      ...names,
      'link',
    ]);
    const members = read(execFileSync('cat', [file]), join(directory, 'copy.tar'));
    assert.deepEqual(
      members.map(({ header }) => header.name),
      [...names, 'link'],
    );
    for (const [i, name] of names.entries()) {
      const { header, text } = members[i] as Read;
      assert.equal(text, `content of ${name}`);
      const { mode, uid, gid, mtimeSeconds, type } = header;
      assert.deepEqual(
        { mode, uid, gid, mtimeSeconds },
        { mode: 0o640, uid: 1000, gid: 100, mtimeSeconds: 1_600_000_000 },
      );
      assert.match(type, /[0\0]/);
      assert.equal(header.uname, format === 'v7' ? '' : 'someone');
    }
    assert.equal(members.at(-1)?.header.linkName, 'elsewhere');
  });
}

const text = fc.string({
  unit: fc.integer({ min: 1, max: 255 }).map((byte) => String.fromCharCode(byte)),
  maxLength: 150,
});
const owner = text.filter((name) => name.length <= 60);
const path = text.filter((name) => name !== '' && !name.endsWith('/'));

test('a member of ours has the header that store layers give it', () => {
  const member = fc.record({
    kind: fc.constantFrom('directory', 'file', 'symlink'),
    name: path,
    mode: fc.integer({ min: 0, max: 0o7777 }),
    size: fc.nat(2 ** 40),
    linkName: text,
  });
  const ownership = fc.record({
    mtimeSeconds: fc.integer({ min: -10, max: 2 ** 40 }),
    uid: fc.nat(2 ** 22),
    gid: fc.nat(2 ** 22),
    uname: owner,
    gname: owner,
  });
  fc.assert(
    fc.property(member, ownership, (ours, owners) => {
      const isDirectory = ours.kind === 'directory';
      const expected = encodePaxHeader({ ...ours, name: ours.name + (isDirectory ? '/' : '') }, owners);
      const header = makeHeader({ ...ours, ...owners, type: TYPE_FLAGS[ours.kind] }, ours.size);
      assert.ok(encodeForeignHeader(header).equals(expected));
    }),
  );
});

test('what is written is read again', (context) => {
  const file = join(temporaryDirectory(context), 'a.tar');
  const member = fc.record({
    name: path.filter((name) => !name.startsWith('/')),
    content: fc.uint8Array({ maxLength: 2000 }).map((bytes) => Buffer.from(bytes)),
    uid: fc.nat(2 ** 30),
    mtimeSeconds: fc.integer({ min: -(2 ** 40), max: 2 ** 40 }),
    uname: owner,
    pax: fc
      .dictionary(fc.constantFrom('SCHILY.xattr.user.a', 'comment', 'atime'), text)
      .map((records) => new Map(Object.entries(records))),
  });
  fc.assert(
    fc.property(fc.array(member, { maxLength: 5 }), (members) => {
      const found = read(makeTar(members), file);
      assert.equal(found.length, members.length);
      for (const [i, { content, pax, ...fields }] of members.entries()) {
        const { header, bytes } = found[i] as Read;
        assert.ok(bytes.equals(content));
        for (const [keyword, value] of pax) assert.equal(header.pax.get(keyword), value);
        const { name, uid, mtimeSeconds, uname } = header;
        assert.deepEqual({ name, uid, mtimeSeconds, uname }, fields);
      }
    }),
  );
});

const SAMPLE: readonly TestMember[] = [
  { name: 'a/' },
  { name: `${'long/'.repeat(30)}name`, content: 'x'.repeat(700) },
  { name: 'link', linkName: 'a' },
  { name: 'owner', uid: 5_000_000, uname: 'jürgen', mtimeSeconds: 2 ** 35 },
];

test('damage is an error of ours or goes unnoticed, whatever bytes there are', (context) => {
  const file = join(temporaryDirectory(context), 'a.tar');
  const tar = makeTar(SAMPLE);
  const change = fc.record({ at: fc.nat(tar.length - 1), byte: fc.nat(255) });
  fc.assert(
    fc.property(
      fc.array(change, { minLength: 1, maxLength: 8 }),
      fc.nat(tar.length),
      fc.boolean(),
      (changes, end, fix) => {
        const bad = Buffer.from(tar.subarray(0, end));
        for (const { at, byte } of changes) if (at < end) bad[at] = byte;
        if (fix) fixChecksums(bad);
        assertReadOrRefused(bad, file);
      },
    ),
    { numRuns: 1000 },
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 3000 }), (bytes) => assertReadOrRefused(Buffer.from(bytes), file)),
  );
});

const HOSTILE: Readonly<Record<string, Buffer>> = {
  'a size beyond the file': patched(124, Buffer.from('77777777777\0')),
  'a size beyond 2^53': patched(124, Buffer.concat([Buffer.from([0x80]), Buffer.alloc(11, 0x7f)])),
  'a negative size': patched(124, Buffer.alloc(12, 0xff)),
  'a size that is no number': patched(124, Buffer.from('12x45678901\0')),
  'a wrong checksum': makeTar([{ name: 'a' }]).fill('b', 0, 1),
  'an extended header that is too large': patched(124, Buffer.from('00010000000\0'), { type: 'x' }),
  'a record that counts wrong': withRecords('999 path=x\n'),
  'a record without a count': withRecords('path=x\n'),
  'a record of no length': withRecords('0 path=x\n'),
  'a negative size in a record': withRecords('11 size=-5\n'),
  'a huge size in a record': withRecords('30 size=9999999999999999999999\n'),
  'a sparse file': withRecords('22 GNU.sparse.major=1\n'),
  'the middle of a header': makeTar([{ name: 'a' }]).subarray(0, 300),
};

for (const [name, bytes] of Object.entries(HOSTILE)) {
  test(`refused: ${name}`, (context) => {
    const file = join(temporaryDirectory(context), 'a.tar');
    assert.throws(() => read(bytes, file), { code: 'ARCHIVE_INVALID' });
  });
}

/** A tar of one member with other bytes in its header, its checksum right. */
function patched(at: number, bytes: Buffer, { type = '0' }: { readonly type?: string } = {}): Buffer {
  const tar = makeTar([{ name: 'a', type, content: 'x' }]);
  bytes.copy(tar, at);
  return fixChecksums(tar);
}

function withRecords(records: string): Buffer {
  const extension = makeTar([{ name: 'x', type: 'x', content: records }]).subarray(0, 1024);
  return Buffer.concat([extension, makeTar([{ name: 'a' }])]);
}

/** Of all blocks that could be headers. */
function fixChecksums(tar: Buffer): Buffer {
  for (let at = 0; at + 512 <= tar.length; at += 512) {
    const header = tar.subarray(at, at + 512);
    if (header.toString('latin1', 257, 262) !== 'ustar') continue;
    header.fill(' ', 148, 156);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  }
  return tar;
}

interface Read extends ForeignMember {
  readonly bytes: Buffer;
  readonly text: string;
}

function read(tar: Buffer, file: string): readonly Read[] {
  const slice = sliceOf(tar, file);
  try {
    return [...readTar(slice)].map((member) => {
      const bytes = readSlice(member.content, 0, member.content.size);
      return { ...member, bytes, text: bytes.toString() };
    });
  } finally {
    closeSync(slice.fd);
  }
}

function assertReadOrRefused(tar: Buffer, file: string): void {
  try {
    for (const { content } of read(tar, file)) assert.ok(content.offset + content.size <= tar.length);
  } catch (error) {
    assert.ok(error instanceof PhylloError && error.code === 'ARCHIVE_INVALID', String(error));
  }
}
