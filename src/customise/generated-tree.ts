/** Trees that a build makes up: the files of named helpers, and what Nix in the image needs. */
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { IncludedFile } from '../image/included-files.ts';
import type { Closure } from '../store/store.ts';
import { baseName, type StorePath } from '../store/store-path.ts';
import { SCHEMA_VERSION, writeNixDatabase } from './nix-database-file.ts';

/** Writes the helpers' files below `directory`, which is made. A file that is named twice is the first one's. */
export function writeIncluded(directory: string, files: readonly IncludedFile[]): void {
  makeDirectory(directory);
  const first = new Map(files.toReversed().map((file) => [file.path, file]));
  for (const file of first.values()) writeFile(join(directory, file.path), file);
}

/** Nix's database of `closure`, and garbage collector roots for `contents`. */
export function writeNixState(
  directory: string,
  { closure, contents }: { readonly closure: Closure; readonly contents: readonly StorePath[] },
): void {
  const state = join(directory, dirname(closure.storeDir), 'var/nix');
  const database = join(state, 'db');
  const roots = join(state, 'gcroots/docker');
  makeDirectory(database);
  makeDirectory(roots);
  writeNixDatabase(join(database, 'db.sqlite'), closure);
  writeReadable(join(database, 'schema'), `${SCHEMA_VERSION}`);
  for (const path of new Set(contents)) symlinkSync(path, join(roots, baseName(path)));
}

function writeFile(place: string, file: IncludedFile): void {
  makeDirectory(dirname(place));
  switch (file.kind) {
    case 'directory':
      makeDirectory(place);
      chmodSync(place, file.mode);
      return;
    case 'file':
      writeReadable(place, file.text);
      return;
    case 'symlink':
      symlinkSync(file.target, place);
      return;
    default:
      throw new TypeError('unknown kind of file');
  }
}

/** Modes must not depend on the umask. */
function makeDirectory(place: string): void {
  const made = mkdirSync(place, { recursive: true });
  if (made === undefined) return;
  for (let path = place; path.length >= made.length; path = dirname(path)) chmodSync(path, 0o755);
}

function writeReadable(place: string, text: string): void {
  writeFileSync(place, text);
  chmodSync(place, 0o644);
}
