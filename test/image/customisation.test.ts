import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CUSTOMISATION_MTIME_SECONDS, joinContents } from '../../src/image/customisation.ts';
import { type CustomisationMember, layerTarSize } from '../../src/layer/layer-source.ts';
import type { TreeEntry } from '../../src/store/tree.ts';
import { scanDirectoryTree } from '../../src/store/directory-tree.ts';
import { customisationCases } from '../support/golden.ts';
import { digestLayer, latin1 } from '../support/scanned.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { latin1Of, makeEntries, makeStorePaths, type VectorEntry } from '../support/vector-tree.ts';

for (const { name, note, ...vector } of customisationCases()) {
  test(`customisation layer: ${name} (${note})`, async (context) => {
    const root = temporaryDirectory(context);
    makeStorePaths(root, vector.storePaths);
    const joined = joinContents(
      vector.contents.map((path) => ({
        storePath: latin1(path),
        entries: scanDirectoryTree(`${root}${path}`),
      })),
    ).members;
    makeEntries(
      `${root}/extra`,
      [{ path: [], type: 'directory', mode: '0755' }, ...vector.extraEntries],
      root,
    );
    const extra = vector.extraEntries.map((entry) => extraMember(entry, `${root}/extra`));
    const members = [...joined, ...extra].sort((left, right) => compareMembers(left.name, right.name));

    assert.deepEqual(
      members.map((member) => member.name),
      vector.expected.members.map((member) => latin1(member.name)),
    );
    const layer = { kind: 'customisation', members, mtimeSeconds: CUSTOMISATION_MTIME_SECONDS } as const;
    const { size, sha256 } = vector.expected.layerTar;
    assert.equal(layerTarSize(layer), size);
    assert.deepEqual(await digestLayer(layer), { diffID: `sha256:${sha256}`, size });
  });
}

function extraMember(entry: VectorEntry, place: string): CustomisationMember {
  const path = entry.path.map(latin1Of).join('/');
  const isDirectory = entry.type === 'directory';
  const location = isDirectory ? '' : `${place}/${path}`;
  return {
    kind: isDirectory ? 'directory' : 'file',
    name: `./${path}${isDirectory ? '/' : ''}`,
    mode: Number.parseInt(entry.mode ?? '', 8),
    size: isDirectory ? 0 : Buffer.byteLength(entry.content?.utf8 ?? ''),
    linkName: '',
    uid: entry.uid ?? 0,
    gid: entry.gid ?? 0,
    location,
  };
}

/** By path components. */
function compareMembers(left: string, right: string): number {
  const [a, b] = [left, right].map((name) => name.replace(/\/$/, '').replaceAll('/', '\0')) as [
    string,
    string,
  ];
  return a < b ? -1 : a > b ? 1 : 0;
}

const directory = (path: string): TreeEntry => ({ kind: 'directory', path, mode: 0o555 });
const file = (path: string): TreeEntry => ({ kind: 'file', path, mode: 0o444, size: 1 });
const symlink = (path: string, target: string): TreeEntry => ({ kind: 'symlink', path, mode: 0o777, target });

test('a conflict names both contents, equal links and joined directories are none', () => {
  const { conflicts, members } = joinContents([
    {
      storePath: '/nix/store/a',
      entries: [directory(''), directory('bin'), file('bin/x'), symlink('same', 'to')],
    },
    {
      storePath: '/nix/store/b',
      entries: [directory(''), directory('bin'), file('bin/x'), symlink('same', 'to')],
    },
  ]);
  assert.deepEqual(conflicts, [{ path: '/bin/x', kept: '/nix/store/a', dropped: '/nix/store/b' }]);
  assert.equal(members.find((member) => member.name === './bin/x')?.linkName, '/nix/store/a/bin/x');
});

test('names that lndir leaves out are in the image', () => {
  const entries = [directory(''), directory('.git'), file('.git/config'), file('backup~')];
  const { members } = joinContents([{ storePath: '/nix/store/a', entries }]);
  assert.deepEqual(
    members.map((member) => member.name),
    ['./', './.git/', './.git/config', './backup~'],
  );
});

test('a directory below something else of the same name is left out as a whole', () => {
  const { members, conflicts } = joinContents([
    { storePath: '/nix/store/a', entries: [directory(''), file('x')] },
    {
      storePath: '/nix/store/b',
      entries: [directory(''), directory('x'), directory('x/y'), file('x/y/z'), file('zz')],
    },
  ]);
  assert.deepEqual(
    members.map((member) => member.name),
    ['./', './x', './zz'],
  );
  assert.equal(conflicts.length, 1);
});

test('a content that is a file is refused', () => {
  assert.throws(() => joinContents([{ storePath: '/nix/store/a', entries: [file('')] }]), {
    code: 'CONTENT_NOT_DIRECTORY',
  });
});
