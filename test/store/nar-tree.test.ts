import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { zstdCompressSync } from 'node:zlib';
import { finishDigest } from '../../src/digest.ts';
import { scanNar, visitNar } from '../../src/store/nar-tree.ts';
import type { Compression } from '../../src/compression/decompress.ts';
import type { NarSource } from '../../src/store/tree.ts';
import { failsWith } from './support/errors.ts';
import { EventLog, type ToldEntry } from './support/events.ts';
import { directory, file, symlink, writeNar, type Node } from './support/nar-writer.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';
import { XZ_NARS, XZ_TREE } from './support/xz-nars.ts';

const temporary = temporaryDirectory();
let files = 0;

interface Stored {
  readonly compression?: Compression;
  /** What is in the file, instead of the NAR as `compression` has it. */
  readonly stored?: Uint8Array;
}

function narSource(node: Node, { compression = 'none', stored }: Stored = {}): NarSource {
  const nar = writeNar(node);
  files += 1;
  const location = join(temporary, `${files}.nar`);
  writeFileSync(location, stored ?? (compression === 'zstd' ? zstdCompressSync(nar) : nar));
  return {
    kind: 'nar',
    location,
    compression,
    narHash: finishDigest(createHash('sha256').update(nar)),
    narSize: nar.length,
  };
}

async function visit(source: NarSource): Promise<readonly ToldEntry[]> {
  const log = new EventLog();
  await visitNar(source, log);
  return log.told;
}

function openFiles(): readonly string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/self/fd/${fd}`)];
    } catch {
      return [];
    }
  });
}

const TREE = directory(
  ['a', file('x'.repeat(700_000))],
  ['b', directory(['c', file('y', true)])],
  ['d', symlink('a')],
);

for (const compression of ['none', 'zstd'] as const) {
  test(`a NAR with compression ${compression} is scanned and visited`, async () => {
    const source = narSource(TREE, { compression });
    const told = await visit(source);
    assert.deepEqual(
      told.map(({ entry }) => entry.path),
      ['', 'a', 'b', 'b/c', 'd'],
    );
    assert.equal(told[1]?.contents, 'x'.repeat(700_000));
    assert.deepEqual(
      await scanNar(source),
      told.map(({ entry }) => entry),
    );
  });
}

for (const form of ['oneBlock', 'severalBlocks', 'severalStreams'] as const) {
  test(`a NAR with compression xz is visited: ${form}`, async () => {
    const told = await visit(
      narSource(XZ_TREE, { compression: 'xz', stored: Buffer.from(XZ_NARS[form], 'base64') }),
    );
    assert.deepEqual(told, await visit(narSource(XZ_TREE)));
  });
}

test('several NARs can be read at once', async () => {
  const stored = Buffer.from(XZ_NARS.oneBlock, 'base64');
  const source = narSource(XZ_TREE, { compression: 'xz', stored });
  const scans = await Promise.all(Array.from({ length: 5 }, () => scanNar(source)));
  assert.equal(new Set(scans.map((entries) => entries.length)).size, 1);
});

const xz = Buffer.from(XZ_NARS.oneBlock, 'base64');
for (const [problem, compression, stored, code = 'NAR_INVALID'] of [
  ['xz that is cut off', 'xz', xz.subarray(0, 100)],
  ['xz that is damaged', 'xz', Buffer.from(xz).fill(0xff, 100, 110)],
  ['xz that is empty', 'xz', Buffer.alloc(0)],
  ['xz that is not xz', 'xz', writeNar(XZ_TREE)],
  ['xz that wants more memory than there is', 'xz', Buffer.from(XZ_NARS.hugeDictionary, 'base64')],
  ['zstd that is not zstd', 'zstd', writeNar(XZ_TREE)],
  ['zstd that is damaged', 'zstd', zstdCompressSync(writeNar(XZ_TREE)).fill(0xff, 8, 20)],
  ['something else', 'none', Buffer.from('hello'), 'NAR_MISMATCH'],
  ['something else of the same size', 'none', Buffer.alloc(writeNar(XZ_TREE).length)],
] as const) {
  test(`not a NAR, and no file stays open: ${problem}`, async () => {
    const source = narSource(XZ_TREE, { compression, stored });
    await assert.rejects(scanNar(source), failsWith(code, source.location));
    assert.ok(!openFiles().includes(source.location));
    assert.ok(
      (await scanNar(narSource(XZ_TREE, { compression: 'xz', stored: xz }))).length === 3,
      'xz works on',
    );
  });
}

for (const compression of ['none', 'zstd'] as const) {
  test(`a NAR that is not the one described is a mismatch: ${compression}`, async () => {
    const source = narSource(TREE, { compression });
    const { narHash } = narSource(XZ_TREE);
    await assert.rejects(
      visit({ ...source, narHash }),
      failsWith('NAR_MISMATCH', source.location, narHash, source.narHash),
    );
    await assert.rejects(
      visit({ ...source, narSize: source.narSize + 1 }),
      failsWith('NAR_MISMATCH', source.location),
    );
    await assert.rejects(
      visit({ ...source, narSize: source.narSize - 1 }),
      failsWith('NAR_MISMATCH', source.location),
    );
  });
}

test('a NAR that unfolds to more than its size is given up at once', async () => {
  const bomb = file(Buffer.alloc(64 * 1024 * 1024));
  const source = narSource(bomb, { compression: 'zstd' });
  let told = 0;
  const visitor = { entry: () => undefined, data: (chunk: Uint8Array) => void (told += chunk.length) };
  await assert.rejects(visitNar({ ...source, narSize: 1000 }, visitor), failsWith('NAR_MISMATCH'));
  assert.ok(told < 1024 * 1024, `${told} bytes`);
});

test('a file that is not there, or is a directory, is unreadable', async () => {
  const source = narSource(TREE);
  for (const compression of ['none', 'zstd', 'xz'] as const) {
    for (const location of [join(temporary, 'missing.nar'), temporary]) {
      await assert.rejects(
        visit({ ...source, compression, location }),
        failsWith('FILE_UNREADABLE', location),
      );
    }
  }
});

test('what the visitor throws comes through and closes the file', async () => {
  for (const source of [
    narSource(TREE),
    narSource(TREE, { compression: 'zstd' }),
    narSource(XZ_TREE, { compression: 'xz', stored: xz }),
  ]) {
    const visitor = {
      entry() {
        throw new RangeError('mine');
      },
      data: () => undefined,
    };
    await assert.rejects(visitNar(source, visitor), RangeError);
    assert.ok(!openFiles().includes(source.location));
  }
});

/** Latin1 names in byte order, and the order in which the tar has them. */
const DISORDERLY = [
  { byByte: ['a', '\xef\xbc\xa1', '\xff'], inTar: ['a', '\xff', '\xef\xbc\xa1'] },
  { byByte: ['\x80', '\xc3\xa9'], inTar: ['\xc3\xa9', '\x80'] },
  { byByte: ['\xc3z', '\xc3\xa9'], inTar: ['\xc3\xa9', '\xc3z'] },
  {
    byByte: ['\xf0\x9f\x98\x80', '\xf0\x9f\x98\x81', '\xfe'],
    inTar: ['\xfe', '\xf0\x9f\x98\x80', '\xf0\x9f\x98\x81'],
  },
] as const;

for (const { byByte, inTar } of DISORDERLY) {
  test(`entries come in tar order: ${JSON.stringify(inTar)}`, async () => {
    const inner = directory(...byByte.map((name) => [name, file(name)] as const));
    const node = directory(['0', file('first')], ['d', inner], ['e', directory(['x', symlink('y')])]);
    const paths = ['', '0', 'd', ...inTar.map((name) => `d/${name}`), 'e', 'e/x'];
    for (const compression of ['none', 'zstd'] as const) {
      const source = narSource(node, { compression });
      const told = await visit(source);
      assert.deepEqual(
        told.map(({ entry }) => entry.path),
        paths,
      );
      assert.deepEqual(
        told.filter(({ entry }) => entry.path.startsWith('d/')).map(({ contents }) => contents),
        inTar,
      );
      assert.deepEqual(
        await scanNar(source),
        told.map(({ entry }) => entry),
      );
    }
  });
}

test('a directory may be overtaken, with all that is in it', async () => {
  const node = directory(
    ['\xef\xbc\xa1', directory(['z', file('1')])],
    ['\xef\xbc\xa1.b', file('2')],
    ['\xff', directory(['a', file('3')])],
  );
  const told = await visit(narSource(node));
  assert.deepEqual(
    told.map(({ entry }) => entry.path),
    ['', '\xff', '\xff/a', '\xef\xbc\xa1', '\xef\xbc\xa1/z', '\xef\xbc\xa1.b'],
  );
  assert.deepEqual(told.map(({ contents }) => contents).join(''), '312');
});
