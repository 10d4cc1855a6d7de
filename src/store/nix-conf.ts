/**
 * The settings of nix.conf files.
 *
 * @see Nix manual, "nix.conf": later files and lines win; `include` fails for a file that is not there, `!include` does not
 */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { PhylloError, reasonOf, systemErrorCode } from '../errors.ts';

/** Values by name, as written; an `extra-NAME` is added to NAME's. */
export type NixConf = ReadonlyMap<string, string>;

const MAX_DEPTH = 16;

/**
 * @param files those that are not there are left out; a later one wins
 * @throws PhylloError FILE_UNREADABLE
 */
export function readNixConf(files: readonly string[]): NixConf {
  const settings = new Map<string, string>();
  for (const file of files) readInto(settings, { file, optional: true, depth: 0 });
  return settings;
}

interface ConfFile {
  readonly file: string;
  readonly optional: boolean;
  readonly depth: number;
}

function readInto(settings: Map<string, string>, { file, optional, depth }: ConfFile): void {
  if (depth > MAX_DEPTH) throw unreadable(file, 'files include each other');
  for (const line of readLines(file, optional)) {
    const words = line.replace(/#.*$/, '').split(/\s+/).filter(Boolean);
    const [name = '', second = ''] = words;
    if (name === 'include' || name === '!include') {
      const included = resolve(dirname(file), second);
      readInto(settings, { file: included, optional: name === '!include', depth: depth + 1 });
    } else if (second === '=') set(settings, name, words.slice(2).join(' '));
  }
}

function set(settings: Map<string, string>, name: string, value: string): void {
  if (!name.startsWith('extra-')) return void settings.set(name, value);
  settings.set(name, [settings.get(name), value].filter(Boolean).join(' '));
}

function readLines(file: string, optional: boolean): readonly string[] {
  try {
    return readFileSync(file, 'utf8').split('\n');
  } catch (cause) {
    if (optional && ['ENOENT', 'ENOTDIR', 'EACCES'].includes(systemErrorCode(cause) ?? '')) return [];
    throw unreadable(file, reasonOf(cause), cause);
  }
}

function unreadable(file: string, reason: string, cause?: unknown): PhylloError {
  return new PhylloError('FILE_UNREADABLE', `cannot read ${file}: ${reason}`, { cause });
}

/** A list's words, those of its `extra-` setting included. */
export function nixConfList(conf: NixConf, name: string, fallback: readonly string[]): readonly string[] {
  const own = conf.get(name)?.split(' ').filter(Boolean) ?? fallback;
  return [...own, ...(conf.get(`extra-${name}`)?.split(' ').filter(Boolean) ?? [])];
}
