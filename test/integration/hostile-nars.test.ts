/** NARs that somebody made to do harm, where their trees are written to a disk: an error, and nothing anywhere. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { zstdCompressSync } from 'node:zlib';
import { directory as directoryNode, file, symlink, tokens, writeNar } from '../store/support/nar-writer.ts';
import { phyllo } from './support/phyllo.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';

const directory = temporaryDirectory();
const HASH_PART = '0'.repeat(32);
const STORE_PATH = `/nix/store/${HASH_PART}-hostile`;

const FILE = ['(', 'type', 'regular', 'contents', 'evil', ')'];
const entry = (name: string, node: readonly string[] = FILE): readonly string[] => [
  ...['entry', '(', 'name', name, 'node'],
  ...[...node, ')'],
];
const holding = (...entries: readonly (readonly string[])[]): Buffer =>
  tokens('nix-archive-1', '(', 'type', 'directory', ...entries.flat(), ')');

/** Of a length that its contents do not have. */
function enormous(): Buffer {
  const nar = writeNar(file('evil'));
  nar.writeBigUInt64LE(2n ** 62n, nar.indexOf('contents') + 8);
  return nar;
}

function nested(depth: number): Buffer {
  const opening = Array.from({ length: depth }, () => [
    '(',
    'type',
    'directory',
    'entry',
    '(',
    'name',
    'a',
    'node',
  ]);
  const closing = Array.from({ length: depth }, () => [')', ')']);
  return tokens('nix-archive-1', ...opening.flat(), ...FILE, ...closing.flat());
}

const HOSTILE: Readonly<Record<string, Buffer>> = {
  'a name that leads upwards': holding(entry('..')),
  'a name with a slash': holding(entry('../../evil')),
  'an absolute name': holding(entry('/evil')),
  'a zero byte in a name': holding(entry('evil\0')),
  'names out of order': holding(entry('b'), entry('a')),
  'a link, and a directory of the same name': holding(
    entry('a', ['(', 'type', 'symlink', 'target', '/tmp', ')']),
    entry('a', ['(', 'type', 'directory', ...entry('evil'), ')']),
  ),
  'a length without end': enormous(),
  'directories without end': nested(5000),
};

interface Cache {
  readonly nar: Buffer;
  /** What the narinfo says; the NAR's own when absent. */
  readonly narSize?: number;
}

let caches = 0;

function newPlace(): string {
  caches += 1;
  const place = join(directory, String(caches));
  mkdirSync(join(place, 'cache', 'nar'), { recursive: true });
  mkdirSync(join(place, 'tmp'));
  return place;
}

function writeCache(place: string, { nar, narSize = nar.length }: Cache): void {
  const cache = join(place, 'cache');
  const stored = zstdCompressSync(nar);
  writeFileSync(join(cache, 'nar', 'x.nar.zst'), stored);
  writeFileSync(join(cache, 'nix-cache-info'), 'StoreDir: /nix/store\n');
  const lines = [
    `StorePath: ${STORE_PATH}`,
    'URL: nar/x.nar.zst',
    'Compression: zstd',
    `FileSize: ${stored.length}`,
    `NarHash: sha256:${createHash('sha256').update(nar).digest('hex')}`,
    `NarSize: ${narSize}`,
    'References: ',
  ];
  writeFileSync(join(cache, `${HASH_PART}.narinfo`), `${lines.join('\n')}\n`);
}

/** Copies the path to the root of an image, for which its tree is written to a temporary directory. */
async function build(
  cache: Cache,
): Promise<{ readonly place: string; readonly stderr: string; readonly exitCode: number | null }> {
  const place = newPlace();
  writeCache(place, cache);
  const outcome = await phyllo(
    [
      ...['build', '--name', 'x', '--tag', '1', '--store', `file://${join(place, 'cache')}`, '--no-cache'],
      ...['--copy-to-root', STORE_PATH, '--extra-commands', 'true', '--to', `oci:${join(place, 'layout')}`],
    ],
    { env: { TMPDIR: join(place, 'tmp') } },
  );
  return { place, ...outcome };
}

describe('a hostile NAR', () => {
  for (const [what, nar] of Object.entries(HOSTILE))
    it(`with ${what} is refused`, async () => {
      const { place, stderr, exitCode } = await build({ nar });
      assert.equal(exitCode, 1, stderr);
      assert.match(stderr, /\[NAR_INVALID\]/);
      assert.deepEqual(readdirSync(join(place, 'tmp')), []);
      assert.ok(!existsSync(join(place, 'evil')) && !existsSync('/evil') && !existsSync('/tmp/evil'));
    });

  it('that unfolds to more than it says is refused', async () => {
    const { place, stderr } = await build({
      nar: writeNar(file(Buffer.alloc(64 * 1024 * 1024))),
      narSize: 1000,
    });
    assert.match(stderr, /\[NAR_MISMATCH\]/);
    assert.deepEqual(readdirSync(join(place, 'tmp')), []);
  });

  it('is refused only for that: a harmless one is taken, and its links are not followed', async () => {
    const outside = symlink('../../../../../../tmp');
    const { stderr, exitCode } = await build({
      nar: writeNar(directoryNode(['a', file('x')], ['up', outside])),
    });
    assert.equal(exitCode, 0, stderr);
  });
});
