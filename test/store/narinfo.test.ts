import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { parseNarinfo } from '../../src/store/narinfo.ts';
import { baseName } from '../../src/store/store-path.ts';
import { failsWith, succeedsOrFailsProperly } from './support/errors.ts';
import { storePath } from './support/paths.ts';

const HASH = 'sha256:0hc7x4mami1jj3iay66b0qs9lm2ipl1hhsckccbxcn882rk6f1s5';
const DIGEST = 'sha256:45076766160859d6176393690803bd51549a3406cb18afe29032c4aa2ae98741';
const self = storePath('self');
const other = storePath('other');

const FIELDS = {
  StorePath: self,
  URL: 'nar/x.nar.zst',
  Compression: 'zstd',
  FileHash: HASH,
  FileSize: '167',
  NarHash: HASH,
  NarSize: '5000000000',
  References: [self, other].map(baseName).join(' '),
  Deriver: baseName(storePath('self.drv')),
  Sig: 'key-1:AAAA',
  CA: 'fixed:r:sha256:0hc7',
} as const;

/** The fields as a file has them; undefined leaves one out. */
function write(changes: Partial<Record<string, string | undefined>> = {}): string {
  const fields = Object.entries({ ...FIELDS, ...changes }).filter(([, value]) => value !== undefined);
  return fields.map(([field, value]) => `${field}: ${value}\n`).join('');
}

function parse(text: string) {
  return parseNarinfo(text, { storeDir: '/nix/store', name: 'x.narinfo' });
}

test('every field is read', () => {
  assert.deepEqual(parse(`${write()}Sig: key-2:BBBB\nUnknown: x\n`), {
    path: self,
    url: 'nar/x.nar.zst',
    compression: 'zstd',
    fileHash: DIGEST,
    fileSize: 167,
    narHash: DIGEST,
    narSize: 5_000_000_000,
    references: [self, other].sort(),
    deriver: storePath('self.drv'),
    signatures: ['key-1:AAAA', 'key-2:BBBB'],
    ca: 'fixed:r:sha256:0hc7',
  });
});

test('optional fields may be missing', () => {
  const narinfo = parse(
    write({
      Compression: undefined,
      FileHash: undefined,
      FileSize: undefined,
      Deriver: undefined,
      Sig: undefined,
      CA: undefined,
      References: '',
    }),
  );
  assert.deepEqual(narinfo, {
    path: self,
    url: 'nar/x.nar.zst',
    compression: 'bzip2',
    narHash: DIGEST,
    narSize: 5_000_000_000,
    references: [],
    signatures: [],
  });
});

test('an unknown deriver is none', () => {
  assert.equal(parse(write({ Deriver: 'unknown-deriver' })).deriver, undefined);
});

test('carriage returns are no part of values', () => {
  assert.deepEqual(parse(write().replaceAll('\n', '\r\n')), parse(write()));
});

for (const [field, value] of [
  ['StorePath', undefined],
  ['StorePath', '/other/store/x'],
  ['StorePath', `${self}/below`],
  ['URL', undefined],
  ['URL', ''],
  ['NarHash', undefined],
  ['NarHash', 'sha256:0'],
  ['NarSize', undefined],
  ['NarSize', '0'],
  ['NarSize', '-1'],
  ['NarSize', '1e3'],
  ['NarSize', '9007199254740993'],
  ['References', undefined],
  ['References', '../x'],
  ['References', 'x'],
  ['FileSize', 'x'],
  ['FileHash', 'x'],
  ['Deriver', 'x'],
] as const) {
  test(`rejected: ${field} ${value ?? 'missing'}`, () => {
    assert.throws(() => parse(write({ [field]: value })), failsWith('NARINFO_INVALID', field, 'x.narinfo'));
  });
}

test('every wrong field is named at once', () => {
  assert.throws(
    () => parse(write({ NarSize: 'x', NarHash: 'y' })),
    failsWith('NARINFO_INVALID', 'NarSize', 'NarHash'),
  );
});

test('a field twice and a line without a field are rejected', () => {
  assert.throws(() => parse(`${write()}URL: other\n`), failsWith('NARINFO_INVALID', 'URL'));
  assert.throws(() => parse(`${write()}rubbish\n`), failsWith('NARINFO_INVALID', 'line 12'));
});

test('a file that is far too long is rejected', () => {
  assert.throws(() => parse('x'.repeat(5_000_000)), failsWith('NARINFO_INVALID'));
});

test('many lines are read in linear time', { timeout: 10_000 }, () => {
  parse(write() + 'Sig: k:A\n'.repeat(200_000));
});

test('any text is read or rejected', () => {
  const field = fc.constantFrom(...Object.keys(FIELDS));
  const lines = fc.array(fc.tuple(field, fc.string()).map(([name, value]) => `${name}: ${value}`));
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        lines.map((all) => write() + all.join('\n')),
        fc.dictionary(field, fc.string()).map(write),
      ),
      (text) => {
        succeedsOrFailsProperly(() => parse(text));
      },
    ),
  );
});
