/**
 * A binary cache's `.narinfo`: path info of one store path, and where its NAR is.
 *
 * @see Nix manual, "Binary cache"; nix/src/libstore/nar-info.cc
 */
import type { Digest } from '../digest.ts';
import { PhylloError, reasonOf } from '../errors.ts';
import { ascending } from './closure.ts';
import { listed } from './listed.ts';
import { parseNixHash } from './nix-hash.ts';
import { parseStorePath, type StorePath } from './store-path.ts';
import type { PathInfo } from './store.ts';

export interface Narinfo extends PathInfo {
  /** As written: relative to the cache, or absolute. */
  readonly url: string;
  /** As written. */
  readonly compression: string;
  /** Of the NAR as it is stored. */
  readonly fileHash?: Digest;
  readonly fileSize?: number;
  readonly deriver?: StorePath;
  /** `KEY:BASE64` each, not verified. */
  readonly signatures: readonly string[];
}

export interface ParseNarinfoOptions {
  readonly storeDir: string;
  /** How errors call the narinfo: its file. */
  readonly name: string;
}

/** Values by field; fields that this program does not know are left alone, as Nix leaves them. */
type Fields = ReadonlyMap<string, readonly string[]>;

/** A path with thousands of references has some hundred thousand characters. */
export const MAX_NARINFO_LENGTH = 4 * 1024 * 1024;
const DECIMAL = /^[0-9]+$/;
/** What Nix takes a narinfo without the field, or with an empty one, for. */
const DEFAULT_COMPRESSION = 'bzip2';
const NO_DERIVER = 'unknown-deriver';
const SIGNATURE = 'Sig';

/** @throws PhylloError NARINFO_INVALID, which names the file and every field that is wrong */
export function parseNarinfo(text: string, { storeDir, name }: ParseNarinfoOptions): Narinfo {
  if (text.length > MAX_NARINFO_LENGTH)
    throw invalid(name, [`it has more than ${MAX_NARINFO_LENGTH} characters`]);
  const problems: string[] = [];
  const fields = readFields(text, problems);
  const narinfo = readNarinfo(new FieldReader(fields, problems), storeDir);
  if (problems.length > 0) throw invalid(name, problems);
  return narinfo;
}

function invalid(name: string, problems: readonly string[]): PhylloError {
  return new PhylloError(
    'NARINFO_INVALID',
    `not a valid narinfo: ${name}: ${listed(problems, { separator: '; ' })}`,
    {
      hint: 'the file is damaged: copy the path to the cache again',
    },
  );
}

function readFields(text: string, problems: string[]): Fields {
  const fields = new Map<string, string[]>();
  for (const [index, line] of text.split('\n').entries()) {
    if (line === '') continue;
    const colon = line.indexOf(':');
    if (colon <= 0) problems.push(`line ${index + 1}: expected a field and a colon`);
    const field = line.slice(0, colon);
    const values = fields.get(field) ?? [];
    values.push(line.slice(colon + 1).trim());
    fields.set(field, values);
  }
  return fields;
}

/** Of no use when the reader has met a problem. */
function readNarinfo(fields: FieldReader, storeDir: string): Narinfo {
  const inStore = (base: string) => parseStorePath(`${storeDir}/${base}`, storeDir);
  const deriver = fields.optional('Deriver', (base) => (base === NO_DERIVER ? undefined : inStore(base)));
  const fileHash = fields.optional('FileHash', parseNixHash);
  const fileSize = fields.optional('FileSize', parseSize);
  const ca = fields.optional('CA', (text) => text);
  return {
    path: fields.required('StorePath', (path) => parseStorePath(path, storeDir)),
    url: fields.required('URL', parseText),
    compression: fields.optional('Compression', (text) => text || undefined) ?? DEFAULT_COMPRESSION,
    narHash: fields.required('NarHash', parseNixHash),
    narSize: fields.required('NarSize', parseSize),
    references: fields.required('References', (bases) =>
      ascending(bases.split(' ').filter(Boolean).map(inStore)),
    ),
    signatures: fields.all(SIGNATURE),
    ...(fileHash === undefined ? {} : { fileHash }),
    ...(fileSize === undefined ? {} : { fileSize }),
    ...(deriver === undefined ? {} : { deriver }),
    ...(ca === undefined ? {} : { ca }),
  };
}

/** Reads one field at a time and collects what is wrong, so that a message can say it all. */
class FieldReader {
  readonly #fields: Fields;
  readonly #problems: string[];

  constructor(fields: Fields, problems: string[]) {
    this.#fields = fields;
    this.#problems = problems;
  }

  all(field: string): readonly string[] {
    return this.#fields.get(field) ?? [];
  }

  /** Undefined where there is no such field, or `parse` gives undefined or throws. */
  optional<T>(field: string, parse: (text: string) => T | undefined): T | undefined {
    const [text, second] = this.all(field);
    if (second !== undefined) this.#problems.push(`${field} is there twice`);
    try {
      return text === undefined ? undefined : parse(text);
    } catch (error) {
      this.#problems.push(`${field}: ${reasonOf(error)}`);
      return undefined;
    }
  }

  /** A value of the type only as long as there are no problems. */
  required<T>(field: string, parse: (text: string) => T): T {
    if (this.all(field).length === 0) this.#problems.push(`there is no ${field}`);
    return this.optional(field, parse) as T;
  }
}

function parseText(text: string): string {
  if (text !== '') return text;
  throw new PhylloError('NARINFO_INVALID', 'it is empty');
}

function parseSize(text: string): number {
  const size = DECIMAL.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(size) && size > 0) return size;
  throw new PhylloError('NARINFO_INVALID', `not a size: ${JSON.stringify(text.slice(0, 40))}`);
}
