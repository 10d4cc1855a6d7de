import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { NarReader } from '../../src/store/nar-reader.ts';
import { failsWith, succeedsOrFailsProperly } from './support/errors.ts';
import { EventLog, type ToldEntry } from './support/events.ts';
import { directory, file, symlink, tokens, writeNar, type Node } from './support/nar-writer.ts';

function read(...chunks: readonly Uint8Array[]): readonly ToldEntry[] {
  const log = new EventLog();
  const reader = new NarReader({ visitor: log, name: 'test.nar' });
  for (const chunk of chunks) reader.push(chunk);
  reader.end();
  return log.told;
}

/** Cut at the given places, in any order and beyond the end. */
function split(bytes: Buffer, places: readonly number[]): readonly Uint8Array[] {
  const cuts = [0, ...places.map((place) => place % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  return cuts.slice(1).map((cut, index) => bytes.subarray(cuts[index], cut));
}

const SAMPLE = directory(
  ['bin', directory(['hello', file('#!/bin/sh\n', true)], ['hi', symlink('hello')])],
  ['empty', directory()],
  ['nothing', file('')],
  ['text', file('0123456789')],
);

test('a tree is told in order, with kinds, modes, sizes and contents', () => {
  assert.deepEqual(read(writeNar(SAMPLE)), [
    { entry: { kind: 'directory', path: '', mode: 0o555 }, contents: '' },
    { entry: { kind: 'directory', path: 'bin', mode: 0o555 }, contents: '' },
    { entry: { kind: 'file', path: 'bin/hello', mode: 0o555, size: 10 }, contents: '#!/bin/sh\n' },
    { entry: { kind: 'symlink', path: 'bin/hi', mode: 0o777, target: 'hello' }, contents: '' },
    { entry: { kind: 'directory', path: 'empty', mode: 0o555 }, contents: '' },
    { entry: { kind: 'file', path: 'nothing', mode: 0o444, size: 0 }, contents: '' },
    { entry: { kind: 'file', path: 'text', mode: 0o444, size: 10 }, contents: '0123456789' },
  ]);
});

for (const [name, node] of [
  ['a file', file('x')],
  ['an empty file', file('')],
  ['a symlink', symlink('../x')],
  ['a long symlink', symlink('x'.repeat(4095))],
  ['an empty directory', directory()],
  ['any bytes in names', directory(['\x01\xff', file('')], ['\xc3\xa9', file('')])],
] as const) {
  test(`a store path may be ${name}, in whole or byte by byte`, () => {
    const nar = writeNar(node);
    const told = read(nar);
    assert.ok(told.length > 0);
    assert.deepEqual(read(...Array.from(nar, (byte) => Buffer.of(byte))), told);
  });
}

test('contents are views of the chunk', () => {
  const nar = writeNar(file('x'.repeat(1000)));
  const buffers: ArrayBufferLike[] = [];
  const visitor = { entry: () => undefined, data: (chunk: Uint8Array) => void buffers.push(chunk.buffer) };
  new NarReader({ visitor, name: 'test.nar' }).push(nar);
  assert.deepEqual(buffers, [nar.buffer]);
});

const FILE = ['(', 'type', 'regular', 'contents', '', ')'];
const entry = (name: string) => ['entry', '(', 'name', name, 'node', ...FILE, ')'];
const inDirectory = (...rest: readonly string[]) => ['nix-archive-1', '(', 'type', 'directory', ...rest];

for (const [problem, parts] of Object.entries({
  'another magic': ['nix-archive-2', ...FILE],
  'no bracket': ['nix-archive-1', 'type', 'regular', 'contents', '', ')'],
  'another type': ['nix-archive-1', '(', 'type', 'socket', ')'],
  'a file without contents': ['nix-archive-1', '(', 'type', 'regular', ')'],
  'a value of executable': ['nix-archive-1', '(', 'type', 'regular', 'executable', 'x', 'contents', '', ')'],
  'executable twice': [
    'nix-archive-1',
    '(',
    'type',
    'regular',
    'executable',
    '',
    'executable',
    '',
    'contents',
    '',
    ')',
  ],
  'executable after contents': [
    'nix-archive-1',
    '(',
    'type',
    'regular',
    'contents',
    '',
    'executable',
    '',
    ')',
  ],
  'an empty target': ['nix-archive-1', '(', 'type', 'symlink', 'target', '', ')'],
  'a zero byte in a target': ['nix-archive-1', '(', 'type', 'symlink', 'target', 'a\0b', ')'],
  'an unknown key': inDirectory('entries'),
  'an empty name': inDirectory(...entry(''), ')'),
  'the name .': inDirectory(...entry('.'), ')'),
  'the name ..': inDirectory(...entry('..'), ')'),
  'a name with a slash': inDirectory(...entry('a/b'), ')'),
  'a name with a zero byte': inDirectory(...entry('a\0'), ')'),
  'a name twice': inDirectory(...entry('a'), ...entry('a'), ')'),
  'names out of order': inDirectory(...entry('b'), ...entry('a'), ')'),
  'a token that is too long': inDirectory(...entry('a'.repeat(4097)), ')'),
  'a trailing token': ['nix-archive-1', ...FILE, ')'],
})) {
  test(`rejected: ${problem}`, () => {
    assert.throws(() => read(tokens(...parts)), failsWith('NAR_INVALID', 'test.nar'));
  });
}

test('an error names the byte', () => {
  const nar = tokens(...inDirectory(...entry('b'), ...entry('a'), ')'));
  const offset = nar.indexOf(tokens('a'));
  assert.throws(() => read(nar), failsWith('NAR_INVALID', ` ${offset}:`));
  assert.throws(
    () => read(...Array.from(nar, (byte) => Buffer.of(byte))),
    failsWith('NAR_INVALID', ` ${offset}:`),
  );
});

test('a NAR may not be cut off anywhere', () => {
  const nar = writeNar(SAMPLE);
  for (let length = 0; length < nar.length; length += 1) {
    assert.throws(() => read(nar.subarray(0, length)), failsWith('NAR_INVALID'));
  }
});

test('padding must be zero, of tokens and of contents', () => {
  const nar = writeNar(file('x'));
  for (const [at, byte] of nar.entries()) {
    if (byte !== 0 || at % 8 === 0) continue;
    const changed = Buffer.from(nar);
    changed[at] = 1;
    assert.throws(() => read(changed), failsWith('NAR_INVALID'));
  }
});

test('there must be nothing after the end', () => {
  assert.throws(() => read(writeNar(SAMPLE), Buffer.alloc(1)), failsWith('NAR_INVALID'));
});

test('a size above 2^53 - 1 is rejected, one below it is believed until the end', () => {
  const nar = writeNar(file(''));
  const at = nar.indexOf('contents') + 8;
  nar.writeBigUInt64LE(2n ** 53n, at);
  assert.throws(() => read(nar), failsWith('NAR_INVALID'));
  nar.writeBigUInt64LE(2n ** 53n - 1n, at);
  assert.throws(() => read(nar), failsWith('NAR_INVALID', 'cut off'));
});

/** The start of a NAR with directories in each other. */
function nested(depth: number, name: string): readonly string[] {
  return Array.from({ length: depth }, () => [
    '(',
    'type',
    'directory',
    'entry',
    '(',
    'name',
    name,
    'node',
  ]).flat();
}

test('a path within the tree has at most 4,096 bytes, however deep', () => {
  assert.throws(() => read(tokens('nix-archive-1', ...nested(5000, 'a'))), failsWith('NAR_INVALID'));
  assert.throws(
    () => read(tokens('nix-archive-1', ...nested(3, 'a'.repeat(2000)))),
    failsWith('NAR_INVALID'),
  );
});

test('what the visitor throws comes through', () => {
  const visitor = {
    entry() {
      throw new RangeError('mine');
    },
    data: () => undefined,
  };
  assert.throws(() => new NarReader({ visitor, name: 'test.nar' }).push(writeNar(SAMPLE)), RangeError);
});

/** Any byte but 0 and the slash. */
const entryName = fc
  .array(
    fc.integer({ min: 1, max: 255 }).filter((byte) => byte !== 0x2f),
    { minLength: 1, maxLength: 12 },
  )
  .map((bytes) => String.fromCharCode(...bytes))
  .filter((name) => name !== '.' && name !== '..');

const { tree } = fc.letrec<{ tree: Node; directory: Node; leaf: Node }>((tie) => ({
  tree: fc.oneof({ depthSize: 'small' }, tie('leaf'), tie('directory')),
  leaf: fc.oneof(
    fc.record({
      kind: fc.constant('file' as const),
      contents: fc.uint8Array({ maxLength: 40 }),
      executable: fc.boolean(),
    }),
    fc.record({
      kind: fc.constant('symlink' as const),
      target: fc
        .string({ minLength: 1, maxLength: 20, unit: 'binary-ascii' })
        .filter((target) => !target.includes('\0')),
    }),
  ),
  directory: fc
    .dictionary(entryName, tie('tree'), { maxKeys: 5 })
    .map((entries) =>
      directory(...Object.entries(entries).sort(([left], [right]) => (left < right ? -1 : 1))),
    ),
}));

test('any tree, cut into any chunks, is told the same', () => {
  fc.assert(
    fc.property(tree, fc.array(fc.nat(), { maxLength: 20 }), (node, places) => {
      const nar = writeNar(node);
      assert.deepEqual(read(...split(nar, places)), read(nar));
    }),
  );
});

test('a NAR with changed bytes is read or rejected, whatever the chunks', () => {
  const changes = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(tree, changes, fc.array(fc.nat(), { maxLength: 5 }), (node, edits, places) => {
      const nar = writeNar(node);
      for (const [at, byte] of edits) nar[at % nar.length] = byte;
      const whole = succeedsOrFailsProperly(() => read(nar));
      assert.equal(
        succeedsOrFailsProperly(() => read(...split(nar, places))),
        whole,
      );
    }),
    { numRuns: 500 },
  );
});

test('random bytes are rejected', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      assert.throws(() => read(bytes), failsWith('NAR_INVALID'));
    }),
  );
});
