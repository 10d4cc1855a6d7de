/** The customisation layer's members as a tree on disk in which commands run, and what they made of it. */
import { chmodSync, constants, copyFileSync, lstatSync, mkdirSync, symlinkSync } from 'node:fs';
import { PhylloError, reasonOf } from '../errors.ts';
import { compareMemberNames } from '../image/customisation.ts';
import type { CustomisationMember } from '../layer/layer-source.ts';
import { displayPath, scanDirectoryTree, systemPath } from '../store/directory-tree.ts';
import type { TreeEntry } from '../store/tree.ts';

/**
 * Makes `members` at `tree`, which must not exist. Everything belongs to this user; directories stay writable until all is there.
 * @param tree latin1
 * @throws PhylloError DESTINATION_UNWRITABLE
 */
export function makeTree(tree: string, members: readonly CustomisationMember[]): void {
  for (const member of members) making(member, () => makeMember(placeOf(tree, member.name), member));
  for (const { kind, name, mode } of members)
    if (kind === 'directory') chmodSync(systemPath(placeOf(tree, name)), mode);
}

/** Mode and owner of a file as somebody other than the system sees them. */
export interface SeenAs {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** By path relative to the tree (latin1), '' for the tree itself. Undefined: the system's mode, and root as owner. */
export type Sight = (path: string, place: string) => SeenAs | undefined;

/**
 * The tree's members in the order of the tar.
 * @param tree latin1
 * @throws PhylloError FILE_UNREADABLE, FILE_TYPE_UNSUPPORTED; COMMAND_FAILED when the tree is a directory no more
 */
export function readTree(tree: string, sight: Sight): readonly CustomisationMember[] {
  return Iterator.from(scanDirectoryTree(displayPath(tree)))
    .map((entry) => memberOf(entry, { tree, sight }))
    .toArray()
    .sort((left, right) => compareMemberNames(left.name, right.name));
}

/** As the system knows them: for commands that ran as root. */
export const seenBySystem: Sight = (_path, place) => {
  const { mode, uid, gid } = lstatSync(systemPath(place));
  return { mode: mode & 0o7777, uid, gid };
};

function making(member: CustomisationMember, make: () => void): void {
  try {
    make();
  } catch (cause) {
    throw new PhylloError(
      'DESTINATION_UNWRITABLE',
      `cannot make ${displayPath(member.name)} in a temporary directory: ${reasonOf(cause)}`,
      { cause },
    );
  }
}

function makeMember(place: string, member: CustomisationMember): void {
  switch (member.kind) {
    case 'directory':
      mkdirSync(systemPath(place), { mode: 0o700 });
      return;
    case 'symlink':
      symlinkSync(Buffer.from(member.linkName, 'latin1'), systemPath(place));
      return;
    case 'file':
      copyFileSync(systemPath(member.location), systemPath(place), constants.COPYFILE_FICLONE);
      chmodSync(systemPath(place), member.mode);
      return;
    default:
      throw new TypeError('unknown kind of member');
  }
}

function placeOf(tree: string, name: string): string {
  return name === './' ? tree : `${tree}/${name.slice('./'.length).replace(/\/$/, '')}`;
}

function memberOf(
  entry: TreeEntry,
  { tree, sight }: { readonly tree: string; readonly sight: Sight },
): CustomisationMember {
  if (entry.path === '' && entry.kind !== 'directory')
    throw new PhylloError('COMMAND_FAILED', 'the commands replaced the directory in which they run');
  const place = entry.path === '' ? tree : `${tree}/${entry.path}`;
  const { mode, uid, gid } = sight(entry.path, place) ?? { mode: entry.mode, uid: 0, gid: 0 };
  const owned = { name: `./${entry.path}`, mode, uid, gid };
  switch (entry.kind) {
    case 'directory':
      return {
        ...owned,
        kind: 'directory',
        name: entry.path === '' ? './' : `./${entry.path}/`,
        ...NO_CONTENT,
      };
    case 'symlink':
      return { ...owned, kind: 'symlink', mode: 0o777, ...NO_CONTENT, linkName: entry.target };
    case 'file':
      return { ...owned, kind: 'file', size: entry.size, linkName: '', location: place };
    default:
      throw new TypeError('unknown kind of entry');
  }
}

const NO_CONTENT = { size: 0, linkName: '', location: '' } as const;
