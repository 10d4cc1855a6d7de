/**
 * Reads tars that nobody vouches for: ustar, PAX (local and global records), GNU (long names, base-256 numbers), and v7.
 *
 * Headers are read where they are, contents are left where they are: a member is its header and the slice of the file that
 * is its content. What a header says is bounded before it is believed: a content must end within the file, an extended
 * header has at most 1 MiB.
 *
 * Ours because what is needed are places in the file: workers copy layers from there, and nothing else is read.
 * Libraries hand out contents as streams, one after the other.
 *
 * @see POSIX.1-2017 pax; GNU tar manual, "Basic Tar Format"
 */
import { PhylloError } from '../errors.ts';
import type { ForeignHeader } from '../layer/foreign-header.ts';
import { BLOCK_SIZE, roundUp } from '../layer/tar-member.ts';
import { type FileSlice, partOf, readSlice } from './file-slice.ts';

export interface ForeignMember {
  readonly header: ForeignHeader;
  readonly content: FileSlice;
}

const MAX_EXTENSION_BYTES = 1024 * 1024;
const MAX_GLOBAL_RECORDS = 1000;
/** Types whose size field counts no content, whatever it says. */
const WITHOUT_CONTENT = /^[1-6]$/;

/**
 * The members in the tar's order. Two zero blocks end it, and so does the end of the file.
 * @throws PhylloError ARCHIVE_INVALID, FILE_UNREADABLE
 */
export function* readTar(tar: FileSlice): Generator<ForeignMember, void, undefined> {
  const reader = new HeaderReader(tar);
  const globals = new Map<string, string>();
  for (let pending: Extensions = {}; ;) {
    const block = reader.next();
    if (block === undefined) return;
    const raw = decodeHeader(block, reader);
    switch (raw.type) {
      case 'x':
      case 'X':
        pending = { ...pending, pax: decodeRecords(reader.extension(raw.size), reader) };
        break;
      case 'g':
        for (const [keyword, value] of decodeRecords(reader.extension(raw.size), reader))
          globals.set(keyword, value);
        if (globals.size > MAX_GLOBAL_RECORDS) throw reader.invalid('it has too many global records');
        break;
      case 'L':
        pending = { ...pending, name: cString(reader.extension(raw.size)) };
        break;
      case 'K':
        pending = { ...pending, linkName: cString(reader.extension(raw.size)) };
        break;
      default: {
        const header = applyExtensions(raw, { globals, pending, reader });
        yield { header, content: reader.content(header) };
        pending = {};
      }
    }
  }
}

/** What headers before the member's own say of it. */
interface Extensions {
  readonly pax?: ReadonlyMap<string, string>;
  readonly name?: string;
  readonly linkName?: string;
}

class HeaderReader {
  readonly #tar: FileSlice;
  #at = 0;

  constructor(tar: FileSlice) {
    this.#tar = tar;
  }

  /** The next header block; undefined at the end. */
  next(): Buffer | undefined {
    const block = readSlice(this.#tar, this.#at, BLOCK_SIZE);
    if (block.length === 0) return undefined;
    if (block.length < BLOCK_SIZE) throw this.invalid('it ends in the middle of a header');
    if (isZero(block)) return undefined;
    this.#at += BLOCK_SIZE;
    return block;
  }

  /** The content of an extended header. */
  extension(size: number): Buffer {
    if (size > MAX_EXTENSION_BYTES) throw this.invalid(`an extended header has ${size} bytes`);
    return readSlice(this.#take(size), 0, size);
  }

  content({ type, size }: ForeignHeader): FileSlice {
    return this.#take(WITHOUT_CONTENT.test(type) ? 0 : size);
  }

  invalid(what: string): PhylloError {
    const where = this.#at <= BLOCK_SIZE ? '' : ` (near byte ${this.#at})`;
    return new PhylloError('ARCHIVE_INVALID', `cannot read ${this.#tar.file} as a tar: ${what}${where}`, {
      hint: 'the file is damaged or not whole: make or download it again',
    });
  }

  #take(size: number): FileSlice {
    const left = this.#tar.size - this.#at;
    if (size > left) throw this.invalid(`a member has ${size} bytes, and only ${left} are left`);
    const content = partOf(this.#tar, this.#at, size);
    this.#at += Math.min(left, roundUp(size, BLOCK_SIZE));
    return content;
  }
}

type RawHeader = Omit<ForeignHeader, 'pax'>;

/** Field places: pax-header.ts and foreign-header.ts; a ustar name's prefix (155 bytes) is at 345. */
function decodeHeader(block: Buffer, reader: HeaderReader): RawHeader {
  requireChecksum(block, reader);
  const text = (from: number, to: number): string => cString(block.subarray(from, to));
  const number = (from: number, to: number): number => decodeNumber(block.subarray(from, to), reader);
  const isPosix = block.toString('latin1', 257, 263) === 'ustar\0';
  const prefix = isPosix ? text(345, 500) : '';
  const name = `${prefix === '' ? '' : `${prefix}/`}${text(0, 100)}`;
  const isDevice = /^[34]$/.test(String.fromCharCode(block[156] as number));
  return {
    name: name.replace(/(?<=.)\/+$/, ''),
    mode: number(100, 108) % 0o10000,
    uid: number(108, 116),
    gid: number(116, 124),
    size: requireSize(number(124, 136), reader),
    mtimeSeconds: number(136, 148),
    type: typeOf(block, name),
    linkName: text(157, 257),
    uname: text(265, 297),
    gname: text(297, 329),
    devMajor: isDevice ? number(329, 337) : 0,
    devMinor: isDevice ? number(337, 345) : 0,
  };
}

/** v7 tars mark a directory by the slash at its name's end. */
function typeOf(block: Buffer, name: string): string {
  const type = String.fromCharCode(block[156] as number);
  return type === '\0' && name.endsWith('/') ? '5' : type;
}

function requireChecksum(block: Buffer, reader: HeaderReader): void {
  let unsigned = 8 * 0x20;
  let signed = 8 * 0x20;
  for (let at = 0; at < BLOCK_SIZE; at += 1) {
    if (at >= 148 && at < 156) continue;
    const byte = block[at] as number;
    unsigned += byte;
    signed += byte < 0x80 ? byte : byte - 0x100;
  }
  const expected = decodeNumber(block.subarray(148, 156), reader);
  // Some old programs summed up signed bytes.
  if (expected !== unsigned && expected !== signed) throw reader.invalid("a header's checksum is wrong");
}

/** Octal digits with spaces and NULs around them, or base-256 where the top bit is set. */
function decodeNumber(field: Buffer, reader: HeaderReader): number {
  const first = field[0] as number;
  if (first === 0x80 || first === 0xff) return decodeBase256(field, reader);
  const text = cString(field).trim();
  if (text === '') return 0;
  if (!/^[0-7]+$/.test(text)) throw reader.invalid('a number in a header is none');
  return Number.parseInt(text, 8);
}

function decodeBase256(field: Buffer, reader: HeaderReader): number {
  let value = 0n;
  for (const byte of field.subarray(1)) value = value * 256n + BigInt(byte);
  if (field[0] === 0xff) value -= 256n ** BigInt(field.length - 1);
  return requireSafe(Number(value), reader);
}

function requireSafe(value: number, reader: HeaderReader): number {
  if (Number.isSafeInteger(value)) return value;
  throw reader.invalid('a number in a header is beyond all measure');
}

function requireSize(size: number, reader: HeaderReader): number {
  if (size >= 0) return size;
  throw reader.invalid('a member has a negative size');
}

/** `LENGTH KEYWORD=VALUE\n`, one after the other; a repeated keyword keeps its first place and its last value. */
function decodeRecords(bytes: Buffer, reader: HeaderReader): Map<string, string> {
  const records = new Map<string, string>();
  for (let at = 0; at < bytes.length && bytes[at] !== 0;) {
    const space = bytes.indexOf(0x20, at);
    const digits = bytes.toString('latin1', at, space);
    const length = /^[1-9]\d{0,7}$/.test(digits) ? Number(digits) : 0;
    const record = bytes.toString('latin1', space + 1, at + length - 1);
    const equals = record.indexOf('=');
    const isWhole = at + length <= bytes.length && bytes[at + length - 1] === 0x0a;
    if (space === -1 || !isWhole || equals < 1) throw reader.invalid('an extended header is malformed');
    // It says how values are encoded, and the writer finds that out itself.
    if (record.slice(0, equals) !== 'hdrcharset')
      records.set(record.slice(0, equals), record.slice(equals + 1));
    at += length;
  }
  return records;
}

interface ApplyOptions {
  readonly globals: ReadonlyMap<string, string>;
  readonly pending: Extensions;
  readonly reader: HeaderReader;
}

/** @see POSIX.1-2017 pax, "pax Extended Header Keyword Precedence" */
function applyExtensions(raw: RawHeader, { globals, pending, reader }: ApplyOptions): ForeignHeader {
  const pax = new Map([...globals, ...(pending.pax ?? [])]);
  if (raw.type === 'S' || [...pax.keys()].some((keyword) => keyword.startsWith('GNU.sparse.')))
    throw reader.invalid(`${JSON.stringify(raw.name)} is a sparse file, which is not supported`);
  const text = (keyword: string, value: string): string => pax.get(keyword) ?? value;
  const number = (keyword: string, value: number): number =>
    pax.has(keyword) ? decimal(pax.get(keyword) as string, reader) : value;
  const name = text('path', pending.name ?? raw.name);
  return {
    ...raw,
    name: name.replace(/(?<=.)\/+$/, ''),
    linkName: text('linkpath', pending.linkName ?? raw.linkName),
    uname: text('uname', raw.uname),
    gname: text('gname', raw.gname),
    uid: number('uid', raw.uid),
    gid: number('gid', raw.gid),
    size: requireSize(number('size', raw.size), reader),
    mtimeSeconds: number('mtime', raw.mtimeSeconds),
    type: raw.type === '\0' && name.endsWith('/') ? '5' : raw.type,
    pax,
  };
}

/** Whole part of a decimal number. */
function decimal(text: string, reader: HeaderReader): number {
  if (!/^-?\d+(\.\d*)?$/.test(text)) throw reader.invalid('a number in an extended header is none');
  return requireSafe(Math.trunc(Number(text)), reader);
}

function cString(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.toString('latin1', 0, end === -1 ? bytes.length : end);
}

function isZero(block: Buffer): boolean {
  return block.every((byte) => byte === 0);
}
