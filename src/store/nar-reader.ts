/**
 * Reads a NAR, Nix's archive of a file tree, as its bytes come in. In tokens (see `nar-tokens.ts`):
 *
 *     nar       = "nix-archive-1" node
 *     node      = "(" "type" ( regular | symlink | directory ) ")"
 *     regular   = "regular" [ "executable" "" ] "contents" CONTENTS
 *     symlink   = "symlink" "target" TARGET
 *     directory = "directory" { "entry" "(" "name" NAME "node" node ")" }      names ascending bytewise
 *
 * A state machine with a stack of open directories: a state names what must come next.
 *
 * A path within the tree may have 4,096 bytes, which the format does not say: Linux can unpack no longer one, and a small
 * NAR with a deep tree would unfold to a huge listing.
 *
 * @see Nix manual, "Nix Archive (NAR) format"; Dolstra's thesis, figure 5.2
 */
import { NarTokens, type Expected, type TokenSink } from './nar-tokens.ts';
import type { TreeEntry } from './tree.ts';

/** What is told of a tree, in order. */
export interface TreeVisitor {
  entry(entry: TreeEntry): void;
  /** Contents of the file that came last; the chunks' lengths add up to its size. The chunk is valid during the call only. */
  data(chunk: Uint8Array): void;
}

export interface NarReaderOptions {
  /** Told in the NAR's order: depth first, names ascending bytewise. */
  readonly visitor: TreeVisitor;
  /** How errors call the NAR: its file. */
  readonly name: string;
}

type Next =
  | keyof typeof FIXED
  | 'type'
  | 'file'
  | 'contents'
  | 'target'
  | 'node end'
  | 'directory'
  | 'name'
  | 'entry end'
  | 'end';

interface Directory {
  readonly path: string;
  lastName: string;
}

const FILE_MODE = 0o444;
const EXECUTABLE_MODE = 0o555;
const DIRECTORY_MODE = 0o555;
const SYMLINK_MODE = 0o777;
const MAX_PATH_LENGTH = 4096;

/** Where one token only may come: the token, and what comes after it. */
const FIXED = {
  magic: { token: 'nix-archive-1', next: 'node' },
  node: { token: '(', next: 'type key' },
  'type key': { token: 'type', next: 'type' },
  executable: { token: '', next: 'contents key' },
  'contents key': { token: 'contents', next: 'contents' },
  'target key': { token: 'target', next: 'target' },
  entry: { token: '(', next: 'name key' },
  'name key': { token: 'name', next: 'name' },
  'node key': { token: 'node', next: 'node' },
} as const;

/** Takes chunks of any size with `push`; `end` says that there are no more. After an error it is of no use. */
export class NarReader {
  readonly #visitor: TreeVisitor;
  readonly #tokens: NarTokens;
  /** The directories around the node at hand, outermost first. */
  readonly #directories: Directory[] = [];
  #next: Next = 'magic';
  /** Of the node at hand. */
  #path = '';
  #mode = FILE_MODE;

  constructor({ visitor, name }: NarReaderOptions) {
    this.#visitor = visitor;
    this.#tokens = new NarTokens({ sink: this.#sink(), name });
  }

  /** @throws PhylloError NAR_INVALID, naming the byte and what was expected there; and what the visitor throws */
  push(chunk: Uint8Array): void {
    this.#tokens.push(chunk);
  }

  /** @throws PhylloError NAR_INVALID when the NAR is cut off */
  end(): void {
    this.#tokens.end();
  }

  #sink(): TokenSink {
    return {
      token: (text) => {
        this.#next = this.#read(text);
        return expected(this.#next);
      },
      contents: (size) => {
        this.#visitor.entry({ kind: 'file', path: this.#path, mode: this.#mode, size });
        this.#next = 'node end';
      },
      data: (chunk) => this.#visitor.data(chunk),
    };
  }

  /** Takes the token and gives what must come after it. */
  #read(text: string): Next {
    const next = this.#next;
    if (isFixed(next))
      return text === FIXED[next].token ? FIXED[next].next : this.#unexpected(FIXED[next].token, text);
    switch (next) {
      case 'type':
        return this.#readType(text);
      case 'file':
        return this.#readFile(text);
      case 'target':
        return this.#readTarget(text);
      case 'directory':
        return this.#readDirectory(text);
      case 'name':
        return this.#readName(text);
      case 'node end':
        return text === ')' ? this.#endNode() : this.#unexpected(')', text);
      case 'entry end':
        return text === ')' ? 'directory' : this.#unexpected(')', text);
      case 'contents':
      case 'end':
        break;
    }
    throw new TypeError(`no token comes here: ${next}`);
  }

  #readType(type: string): Next {
    switch (type) {
      case 'regular':
        return 'file';
      case 'symlink':
        return 'target key';
      case 'directory':
        this.#visitor.entry({ kind: 'directory', path: this.#path, mode: DIRECTORY_MODE });
        this.#directories.push({ path: this.#path, lastName: '' });
        return 'directory';
      default:
        return this.#unexpected('regular, symlink or directory', type);
    }
  }

  #readFile(tag: string): Next {
    if (tag !== 'contents' && tag !== 'executable') return this.#unexpected('executable or contents', tag);
    this.#mode = tag === 'executable' ? EXECUTABLE_MODE : FILE_MODE;
    return tag === 'executable' ? 'executable' : 'contents';
  }

  #readTarget(target: string): Next {
    if (target === '' || target.includes('\0')) return this.#unexpected("a symlink's target", target);
    this.#visitor.entry({ kind: 'symlink', path: this.#path, mode: SYMLINK_MODE, target });
    return 'node end';
  }

  #readDirectory(tag: string): Next {
    if (tag === 'entry') return 'entry';
    if (tag !== ')') return this.#unexpected('entry or )', tag);
    this.#directories.pop();
    return this.#endNode();
  }

  #readName(name: string): Next {
    const directory = this.#directories.at(-1) as Directory;
    if (!isName(name)) return this.#unexpected('a file name', name);
    if (name <= directory.lastName)
      return this.#unexpected(`a name that sorts after ${quoted(directory.lastName)}`, name);
    directory.lastName = name;
    this.#path = directory.path === '' ? name : `${directory.path}/${name}`;
    if (this.#path.length <= MAX_PATH_LENGTH) return 'node key';
    throw this.#tokens.invalid(`the path of ${quoted(name)} has more than ${MAX_PATH_LENGTH} bytes`);
  }

  /** What comes after a node's closing bracket. */
  #endNode(): Next {
    return this.#directories.length > 0 ? 'entry end' : 'end';
  }

  #unexpected(wanted: string, found: string): never {
    throw this.#tokens.invalid(
      `expected ${wanted === '' ? 'an empty token' : wanted}, found ${quoted(found)}`,
    );
  }
}

function isFixed(next: Next): next is keyof typeof FIXED {
  return next in FIXED;
}

function expected(next: Next): Expected {
  return next === 'contents' || next === 'end' ? next : 'token';
}

function isName(name: string): boolean {
  return name !== '' && name !== '.' && name !== '..' && !name.includes('/') && !name.includes('\0');
}

/** A token as a message shows it: cut off, unprintable bytes escaped. */
function quoted(token: string): string {
  return (
    JSON.stringify(Buffer.from(token.slice(0, 80), 'latin1').toString()) + (token.length > 80 ? '…' : '')
  );
}
