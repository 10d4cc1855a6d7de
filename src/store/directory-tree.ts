/** The file tree of a store path on disk. Everything here is synchronous: it runs in worker threads, where that is fastest. */
import { lstatSync, readdirSync, readlinkSync } from 'node:fs';
import { PhylloError, reasonOf } from '../errors.ts';
import { compareNames, type TreeEntry } from './tree.ts';

const PERMISSIONS = 0o7777;
const NON_ASCII = /[\x80-\xff]/;

/**
 * The tree below `location` in tar order: depth first, each directory's names as `compareNames` orders them.
 * Symlinks are not followed, hard links are separate files.
 *
 * @throws PhylloError FILE_UNREADABLE; FILE_TYPE_UNSUPPORTED for a socket, pipe or device
 */
export function* scanDirectoryTree(location: string): Generator<TreeEntry, void, undefined> {
  yield* scan(Buffer.from(location).toString('latin1'), '');
}

/** Whether an absolute path names a directory, itself and not by a link. */
export function isPlainDirectory(path: string): boolean {
  if (!path.startsWith('/') || path.includes('\0')) return false;
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/** What Node's file system functions take for a latin1 path: bytes where a string would be re-encoded. */
export function systemPath(path: string): string | Buffer {
  return NON_ASCII.test(path) ? Buffer.from(path, 'latin1') : path;
}

/** A latin1 path as people read it. */
export function displayPath(path: string): string {
  return Buffer.from(path, 'latin1').toString();
}

function* scan(location: string, path: string): Generator<TreeEntry, void, undefined> {
  const place = path === '' ? location : `${location}/${path}`;
  const entry = readEntry(place, path);
  yield entry;
  if (entry.kind !== 'directory') return;
  for (const name of readNames(place)) yield* scan(location, path === '' ? name : `${path}/${name}`);
}

function readEntry(place: string, path: string): TreeEntry {
  const stats = reading(place, () => lstatSync(systemPath(place)));
  const mode = stats.mode & PERMISSIONS;
  if (stats.isFile()) return { kind: 'file', path, mode, size: stats.size };
  if (stats.isDirectory()) return { kind: 'directory', path, mode };
  if (!stats.isSymbolicLink()) throw unsupportedType(place);
  return { kind: 'symlink', path, mode: 0o777, target: readTarget(place) };
}

function readTarget(place: string): string {
  return reading(place, () => readlinkSync(systemPath(place), 'latin1'));
}

function readNames(place: string): string[] {
  const names = reading(place, () => readdirSync(systemPath(place), 'latin1'));
  return names.some((name) => NON_ASCII.test(name)) ? names.sort(compareNames) : names.sort();
}

function reading<T>(place: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new PhylloError('FILE_UNREADABLE', `cannot read ${displayPath(place)}: ${reasonOf(cause)}`, {
      cause,
    });
  }
}

function unsupportedType(place: string): PhylloError {
  return new PhylloError(
    'FILE_TYPE_UNSUPPORTED',
    `${displayPath(place)} is a socket, pipe or device, which a store layer cannot hold`,
    { hint: 'a store path made by Nix has only files, directories and symlinks; remove the file' },
  );
}
