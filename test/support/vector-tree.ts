/** Makes the trees that golden vectors describe, below a root of their own. */
import { chmodSync, linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export type VectorText = string | { readonly base64: string };

export interface VectorEntry {
  readonly path: readonly VectorText[];
  readonly type: 'file' | 'directory' | 'symlink' | 'hardlink' | 'generate';
  readonly mode?: string;
  readonly content?: {
    readonly utf8?: string;
    readonly base64?: string;
    readonly fill?: number;
    readonly size?: number;
  };
  readonly target?: VectorText | { readonly storePath: string; readonly path: readonly VectorText[] };
  readonly uid?: number;
  readonly gid?: number;
  readonly rule?: string;
  readonly count?: number;
  readonly directories?: number;
  readonly stem?: string;
}

export interface VectorStorePath {
  readonly path: string;
  readonly entries: readonly VectorEntry[];
}

/** latin1 of a vector's text. */
export function latin1Of(text: VectorText): string {
  const bytes = typeof text === 'string' ? Buffer.from(text) : Buffer.from(text.base64, 'base64');
  return bytes.toString('latin1');
}

/** Store paths at `root` + their logical path. */
export function makeStorePaths(root: string, storePaths: readonly VectorStorePath[]): void {
  for (const { path, entries } of storePaths) {
    mkdirSync(join(root, dirname(path)), { recursive: true });
    makeEntries(join(root, path), entries, root);
  }
}

/** Entries below `place`; directories get their modes when their contents are there. */
export function makeEntries(place: string, entries: readonly VectorEntry[], root: string): void {
  const modes: [Buffer, number][] = [];
  for (const entry of entries) modes.push(...makeEntry(place, entry, root));
  for (const [path, mode] of modes.reverse()) chmodSync(path, mode);
}

function makeEntry(place: string, entry: VectorEntry, root: string): [Buffer, number][] {
  const path = placeOf(place, entry.path);
  const mode = Number.parseInt(entry.mode ?? '0', 8);
  switch (entry.type) {
    case 'directory':
      mkdirSync(path, { recursive: true });
      return [[path, mode]];
    case 'file':
      writeFileSync(path, contentOf(entry));
      chmodSync(path, mode);
      return [];
    case 'symlink':
      symlinkSync(Buffer.from(latin1Of(entry.target as VectorText), 'latin1'), path);
      return [];
    case 'hardlink': {
      const target = entry.target as { storePath: string; path: readonly VectorText[] };
      linkSync(placeOf(join(root, target.storePath), target.path), path);
      return [];
    }
    case 'generate':
      return generate(path.toString('latin1'), entry);
    default:
      throw new TypeError(`unknown entry ${JSON.stringify(entry)}`);
  }
}

/** The numbered-files rule of the vectors' README. */
function generate(place: string, { count = 0, directories = 1, stem = '' }: VectorEntry): [Buffer, number][] {
  const modes: [Buffer, number][] = [];
  for (let i = 0; i < directories; i += 1) {
    mkdirSync(`${place}/d${i}`);
    modes.push([Buffer.from(`${place}/d${i}`), 0o555]);
  }
  for (let i = 0; i < count; i += 1) {
    const file = `${place}/d${i % directories}/${stem}${i}`;
    writeFileSync(file, `file ${i}\n`.repeat(i % 4));
    chmodSync(file, i % 5 === 0 ? 0o555 : 0o444);
  }
  return modes;
}

function contentOf({ content = {} }: VectorEntry): Buffer {
  if (content.utf8 !== undefined) return Buffer.from(content.utf8);
  if (content.base64 !== undefined) return Buffer.from(content.base64, 'base64');
  return Buffer.alloc(content.size ?? 0, content.fill ?? 0);
}

function placeOf(place: string, components: readonly VectorText[]): Buffer {
  return Buffer.from(
    [Buffer.from(place).toString('latin1'), ...components.map(latin1Of)].join('/'),
    'latin1',
  );
}
