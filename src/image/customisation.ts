/**
 * Joins the contents of an image at `/`: directories are real, every file is an absolute symlink into the store or a copy,
 * symlinks are copied as they are. Where two contents have the same name, the first wins, unless both are directories, which are joined.
 *
 * The result equals what X11's lndir makes of the same paths, which nixpkgs uses, except that names lndir leaves out
 * (`x~`, `.git`, `CVS` and the like) are in the image: a user's file must not vanish silently.
 */
import { PhylloError } from '../errors.ts';
import type { CustomisationMember } from '../layer/layer-source.ts';
import type { TreeEntry } from '../store/tree.ts';

/** A store path or another directory, with its tree. Texts are latin1. */
export interface Content {
  /** Where it comes from: its links go there, and messages name it. */
  readonly storePath: string;
  readonly entries: Iterable<TreeEntry>;
  /** Where its tree is on disk: its files are in the image themselves. Absent: they are links. */
  readonly copyFrom?: string;
}

/** Two contents have something of the same name, and only the first can be in the image. */
export interface ContentConflict {
  /** Absolute in the image. */
  readonly path: string;
  readonly kept: string;
  readonly dropped: string;
}

export interface Customisation {
  /** In the order of the tar: the root directory, then each directory's names bytewise, depth first. */
  readonly members: readonly CustomisationMember[];
  /** Which content a member comes from, by the member's name. */
  readonly origins: ReadonlyMap<string, string>;
  /** In the order in which they were found. */
  readonly conflicts: readonly ContentConflict[];
}

/** mtime of everything in a customisation layer: nixpkgs' SOURCE_DATE_EPOCH, 1980-01-01. */
export const CUSTOMISATION_MTIME_SECONDS = 315_532_800;

/** @throws PhylloError CONTENT_NOT_DIRECTORY */
export function joinContents(contents: readonly Content[]): Customisation {
  const root = directoryNode('', DIRECTORY_MODE);
  const conflicts: ContentConflict[] = [];
  for (const content of contents) addContent(root, { content, conflicts });
  const placed = [...membersOf(root, './')];
  return {
    members: placed.map(({ member }) => member),
    origins: new Map(placed.map(({ member, origin }) => [member.name, origin])),
    conflicts,
  };
}

/** By path components, bytewise: the order of GNU tar's `--sort=name`, for names as they stand in the tar. */
export function compareMemberNames(left: string, right: string): number {
  const [a, b] = [left.replaceAll('/', '\0'), right.replaceAll('/', '\0')];
  return a < b ? -1 : a > b ? 1 : 0;
}

const DIRECTORY_MODE = 0o755;
const OWNER_WRITABLE = 0o200;

type Node = DirectoryNode | SymlinkNode | FileNode;

interface DirectoryNode {
  readonly kind: 'directory';
  /** The content that it came from. */
  readonly owner: string;
  readonly mode: number;
  readonly children: Map<string, Node>;
}

interface SymlinkNode {
  readonly kind: 'symlink';
  readonly owner: string;
  readonly target: string;
}

interface FileNode {
  readonly kind: 'file';
  readonly owner: string;
  readonly mode: number;
  readonly size: number;
  readonly location: string;
}

function directoryNode(owner: string, mode: number): DirectoryNode {
  return { kind: 'directory', owner, mode, children: new Map() };
}

function addContent(
  root: DirectoryNode,
  { content, conflicts }: { readonly content: Content; readonly conflicts: ContentConflict[] },
): void {
  /** Open directories by depth; undefined where the first content has something else. */
  const open: (DirectoryNode | undefined)[] = [];
  for (const entry of content.entries) {
    const components = entry.path === '' ? [] : entry.path.split('/');
    if (components.length === 0) {
      requireDirectory(content.storePath, entry);
      open[0] = root;
      continue;
    }
    const parent = open[components.length - 1];
    open[components.length] = undefined;
    if (parent === undefined) continue;
    const placed = place(parent, {
      name: components.at(-1) as string,
      node: nodeOf(entry, content),
    });
    if (placed.conflict) {
      conflicts.push({ path: `/${entry.path}`, kept: placed.node.owner, dropped: content.storePath });
    } else if (placed.node.kind === 'directory') {
      open[components.length] = placed.node;
    }
  }
}

function requireDirectory(storePath: string, { kind }: TreeEntry): void {
  if (kind === 'directory') return;
  throw new PhylloError(
    'CONTENT_NOT_DIRECTORY',
    `contents: ${storePath} is a ${kind}, and only a directory can be joined at /`,
    {
      hint: 'list a store path that has the file in a directory, or mention the file in config',
    },
  );
}

function nodeOf(entry: TreeEntry, { storePath: owner, copyFrom }: Content): Node {
  switch (entry.kind) {
    case 'directory':
      // The store's directories are read-only; what stands at / need not be.
      return directoryNode(owner, copyFrom === undefined ? DIRECTORY_MODE : entry.mode | OWNER_WRITABLE);
    case 'symlink':
      return { kind: 'symlink', owner, target: entry.target };
    case 'file':
      if (copyFrom === undefined) return { kind: 'symlink', owner, target: `${owner}/${entry.path}` };
      return {
        kind: 'file',
        owner,
        mode: entry.mode,
        size: entry.size,
        location: `${copyFrom}/${entry.path}`,
      };
    default:
      throw new TypeError('unknown kind of entry');
  }
}

/** Puts `node` below `parent` unless the name is taken; says what is there, and whether something else had to give way. */
function place(
  parent: DirectoryNode,
  { name, node }: { readonly name: string; readonly node: Node },
): { readonly node: Node; readonly conflict: boolean } {
  const present = parent.children.get(name);
  if (present === undefined) {
    parent.children.set(name, node);
    return { node, conflict: false };
  }
  const joined = present.kind === 'directory' && node.kind === 'directory';
  const equal = present.kind === 'symlink' && node.kind === 'symlink' && present.target === node.target;
  return { node: present, conflict: !joined && !equal };
}

interface PlacedMember {
  readonly member: CustomisationMember;
  readonly origin: string;
}

function* membersOf(node: Node, name: string): Generator<PlacedMember, void, undefined> {
  yield { member: memberOf(node, name), origin: node.owner };
  if (node.kind !== 'directory') return;
  for (const [child, below] of [...node.children].sort(byName))
    yield* membersOf(below, `${name}${child}${below.kind === 'directory' ? '/' : ''}`);
}

function memberOf(node: Node, name: string): CustomisationMember {
  switch (node.kind) {
    case 'directory':
      return { kind: 'directory', name, mode: node.mode, ...ROOT_OWNED };
    case 'symlink':
      return { kind: 'symlink', name, mode: 0o777, ...ROOT_OWNED, linkName: node.target };
    case 'file':
      return {
        kind: 'file',
        name,
        mode: node.mode,
        ...ROOT_OWNED,
        size: node.size,
        location: node.location,
      };
    default:
      throw new TypeError('unknown kind of node');
  }
}

const ROOT_OWNED = { uid: 0, gid: 0, size: 0, linkName: '', location: '' } as const;

function byName([left]: [string, Node], [right]: [string, Node]): number {
  return left < right ? -1 : 1;
}
