/**
 * The tree that layers make when they lie on top of each other.
 *
 * Definitions. A *whiteout* `.wh.NAME` removes NAME of the layers below; an *opaque* mark `.wh..wh..opq` removes all that the layers
 * below have in its directory. Neither touches what its own layer has, wherever in the tar it stands.
 *
 * Rules where layers disagree, as overlay file systems have them: a directory on a directory joins with it and wins with its
 * attributes, anything else replaces what is there. A member whose parent is a symlink of a lower layer gets a directory in its place;
 * one whose parent is a symlink of the same layer is followed, within the root. A parent that nothing describes is 0755, of root.
 *
 * @see OCI image-spec v1.1, layer.md, "Applying Changesets"
 */
import { PhylloError } from '../errors.ts';
import type { ForeignHeader } from '../layer/foreign-header.ts';
import type { FileSlice } from './file-slice.ts';
import type { ForeignMember } from './tar-reader.ts';

export interface FlatEntry {
  /** Without slashes around it; the names of a directory are in byte order, each followed by what is below it. */
  readonly path: string;
  readonly header: ForeignHeader;
  readonly content: FileSlice;
  /** An earlier entry that is the same file. */
  readonly linkTo: string | undefined;
}

type Node = Directory | Leaf;

interface Directory {
  readonly kind: 'directory';
  member: ForeignMember | undefined;
  /** The topmost layer that has something of it. */
  layer: number;
  readonly children: Map<string, Node>;
}

interface Leaf {
  readonly kind: 'leaf';
  readonly layer: number;
  /** Hard links share it. */
  readonly inode: ForeignMember;
}

const WHITEOUT = '.wh.';
const OPAQUE = '.wh..wh..opq';
/** Marks of aufs for its own use. */
const RESERVED = '.wh..wh.';
/** Linux' PATH_MAX. */
const MAX_PATH_BYTES = 4096;
const MAX_LINKS = 40;

export class FlatTree {
  readonly #root: Directory = newDirectory(undefined, 0);
  #layer = 0;

  /**
   * Lays a layer on top.
   * @throws PhylloError ARCHIVE_INVALID for names that lead out of the tree, and links to nothing
   */
  add(members: Iterable<ForeignMember>): void {
    this.#layer += 1;
    for (const member of members) this.#place(member);
  }

  *entries(): Generator<FlatEntry, void, undefined> {
    yield* entriesBelow(this.#root, { prefix: '', paths: new Map() });
  }

  #place(member: ForeignMember): void {
    const components = componentsOf(member.header.name);
    const name = components.pop();
    if (name === undefined) return;
    const parent = this.#directory(components);
    if (name === OPAQUE) removeBelow(parent, this.#layer);
    else if (name.startsWith(RESERVED)) return;
    else if (name.startsWith(WHITEOUT)) this.#whiteOut(parent, name);
    else this.#put(parent, { name, member });
  }

  #whiteOut(parent: Directory, whiteout: string): void {
    const name = whiteout.slice(WHITEOUT.length);
    if (/^\.{0,2}$/.test(name)) throw invalid(`${JSON.stringify(whiteout)} removes no file`);
    const node = parent.children.get(name);
    if (node === undefined) return;
    if (node.layer < this.#layer) parent.children.delete(name);
    else if (node.kind === 'directory') removeBelow(node, this.#layer);
  }

  #put(parent: Directory, { name, member }: { readonly name: string; readonly member: ForeignMember }): void {
    const layer = this.#layer;
    if (member.header.type === '1') {
      const inode = this.#linked(member.header);
      parent.children.set(name, { kind: 'leaf', layer, inode });
    } else if (member.header.type === '5') {
      const present = parent.children.get(name);
      if (present?.kind === 'directory') Object.assign(present, { member, layer });
      else parent.children.set(name, newDirectory(member, layer));
    } else if (/^[\0\x30\x32\x33\x34\x36\x37]$/.test(member.header.type)) {
      parent.children.set(name, { kind: 'leaf', layer, inode: member });
    } else {
      throw invalid(`${JSON.stringify(member.header.name)} is of an unknown type`);
    }
  }

  #linked({ name, linkName }: ForeignHeader): ForeignMember {
    const components = componentsOf(linkName);
    const last = components.pop();
    const target = last === undefined ? undefined : this.#find(components)?.children.get(last);
    if (target?.kind === 'leaf') return target.inode;
    throw invalid(`${JSON.stringify(name)} is a hard link to ${JSON.stringify(linkName)}, which is no file`);
  }

  #find(components: readonly string[]): Directory | undefined {
    let directory = this.#root;
    for (const name of components) {
      const child = directory.children.get(name);
      if (child?.kind !== 'directory') return undefined;
      directory = child;
    }
    return directory;
  }

  /** The directory where the layer's members go; made where it is missing. */
  #directory(components: readonly string[]): Directory {
    let left = [...components];
    let passed: string[] = [];
    let directory = this.#root;
    for (let links = 0; left.length > 0;) {
      const name = left.shift() as string;
      const child = directory.children.get(name);
      if (child?.kind === 'leaf' && child.layer === this.#layer && child.inode.header.type === '2') {
        links += 1;
        if (links > MAX_LINKS)
          throw invalid(`the links of ${JSON.stringify(components.join('/'))} go in a circle`);
        left = [...resolveLink(passed, child.inode.header.linkName), ...left];
        passed = [];
        directory = this.#root;
        continue;
      }
      directory = this.#enter(directory, name);
      passed.push(name);
    }
    return directory;
  }

  #enter(parent: Directory, name: string): Directory {
    const child = parent.children.get(name);
    if (child?.kind === 'directory') {
      child.layer = this.#layer;
      return child;
    }
    const made = newDirectory(undefined, this.#layer);
    parent.children.set(name, made);
    return made;
  }
}

function newDirectory(member: ForeignMember | undefined, layer: number): Directory {
  return { kind: 'directory', member, layer, children: new Map() };
}

/** Removes what comes from layers below `layer`. */
function removeBelow(directory: Directory, layer: number): void {
  for (const [name, child] of directory.children) {
    if (child.layer < layer) directory.children.delete(name);
    else if (child.kind === 'directory') removeBelow(child, layer);
  }
}

function* entriesBelow(
  directory: Directory,
  { prefix, paths }: { readonly prefix: string; readonly paths: Map<ForeignMember, string> },
): Generator<FlatEntry, void, undefined> {
  const names = [...directory.children.keys()].sort((left, right) => (left < right ? -1 : 1));
  for (const name of names) {
    const node = directory.children.get(name) as Node;
    const path = prefix + name;
    if (node.kind === 'directory') {
      yield { path, ...(node.member ?? IMPLICIT), linkTo: undefined };
      yield* entriesBelow(node, { prefix: `${path}/`, paths });
    } else {
      yield { path, ...node.inode, linkTo: paths.get(node.inode) };
      if (!paths.has(node.inode)) paths.set(node.inode, path);
    }
  }
}

const IMPLICIT: ForeignMember = {
  header: {
    name: '',
    mode: 0o755,
    uid: 0,
    gid: 0,
    size: 0,
    mtimeSeconds: 0,
    type: '5',
    linkName: '',
    uname: '',
    gname: '',
    devMajor: 0,
    devMinor: 0,
    pax: new Map(),
  },
  content: { file: '', fd: -1, offset: 0, size: 0 },
};

/** @throws PhylloError ARCHIVE_INVALID when the name leads out of the tree */
function componentsOf(name: string): string[] {
  const components = name.split('/').filter((component) => component !== '' && component !== '.');
  if (name.length > MAX_PATH_BYTES || components.includes('..') || name.includes('\0'))
    throw invalid(`the name ${JSON.stringify(name.slice(0, 200))} is none that a file of an image can have`);
  return components;
}

/** As a system whose root is the tree's would resolve it: nothing is above the root. */
function resolveLink(directory: readonly string[], target: string): string[] {
  const components = target.startsWith('/') ? [] : [...directory];
  for (const component of target.split('/')) {
    if (component === '..') components.pop();
    else if (component !== '' && component !== '.') components.push(component);
  }
  return components;
}

function invalid(what: string): PhylloError {
  return new PhylloError('ARCHIVE_INVALID', `a layer is malformed: ${what}`);
}
