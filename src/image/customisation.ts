/**
 * Joins the contents of an image at `/`: directories are real, every file is an absolute symlink into the store, symlinks are
 * copied as they are. Where two contents have the same name, the first wins, unless both are directories, which are joined.
 *
 * The result equals what X11's lndir makes of the same paths, which nixpkgs uses, except that names lndir leaves out
 * (`x~`, `.git`, `CVS` and the like) are in the image: a user's file must not vanish silently.
 */
import { PhylloError } from '../errors.ts';
import type { CustomisationMember } from '../layer/layer-source.ts';
import type { TreeEntry } from '../store/tree.ts';

/** A store path of `contents` with its tree. */
export interface Content {
  readonly storePath: string;
  readonly entries: Iterable<TreeEntry>;
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
  /** In the order in which they were found. */
  readonly conflicts: readonly ContentConflict[];
}

/** mtime of everything in a customisation layer: nixpkgs' SOURCE_DATE_EPOCH, 1980-01-01. */
export const CUSTOMISATION_MTIME_SECONDS = 315_532_800;

/** @throws PhylloError CONTENT_NOT_DIRECTORY */
export function joinContents(contents: readonly Content[]): Customisation {
  const root = directoryNode('');
  const conflicts: ContentConflict[] = [];
  for (const content of contents) addContent(root, { content, conflicts });
  return { members: [...membersOf(root, './')], conflicts };
}

type Node = DirectoryNode | LeafNode;

interface DirectoryNode {
  readonly kind: 'directory';
  /** The content that it came from. */
  readonly owner: string;
  readonly children: Map<string, Node>;
}

interface LeafNode {
  readonly kind: 'symlink';
  readonly owner: string;
  readonly target: string;
}

function directoryNode(owner: string): DirectoryNode {
  return { kind: 'directory', owner, children: new Map() };
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
      node: nodeOf(entry, content.storePath),
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

function nodeOf(entry: TreeEntry, storePath: string): Node {
  switch (entry.kind) {
    case 'directory':
      return directoryNode(storePath);
    case 'symlink':
      return { kind: 'symlink', owner: storePath, target: entry.target };
    case 'file':
      return { kind: 'symlink', owner: storePath, target: `${storePath}/${entry.path}` };
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

function* membersOf(directory: DirectoryNode, name: string): Generator<CustomisationMember, void, undefined> {
  yield { kind: 'directory', name, mode: 0o755, ...ROOT_OWNED };
  for (const [child, node] of [...directory.children].sort(byName)) {
    if (node.kind === 'directory') yield* membersOf(node, `${name}${child}/`);
    else
      yield { kind: 'symlink', name: `${name}${child}`, mode: 0o777, ...ROOT_OWNED, linkName: node.target };
  }
}

const ROOT_OWNED = { uid: 0, gid: 0, size: 0, linkName: '', location: '' } as const;

function byName([left]: [string, Node], [right]: [string, Node]): number {
  return left < right ? -1 : 1;
}
