/**
 * Headers of store layers: ustar, preceded by a PAX extended header where a value does not fit. Byte for byte what nixpkgs'
 * streamer (CPython's `tarfile`) writes.
 *
 * | field | offset | length |
 * |---|---|---|
 * | name | 0 | 100 |
 * | mode, uid, gid | 100, 108, 116 | 8 |
 * | size, mtime | 124, 136 | 12 |
 * | checksum | 148 | 8 |
 * | type | 156 | 1 |
 * | linkname | 157 | 100 |
 * | magic and version | 257 | 8 |
 * | uname, gname | 265, 297 | 32 |
 *
 * @see POSIX.1-2017 pax, "pax Header Block" and "ustar Interchange Format"
 */
import { surrogateEscape } from '../store/tree.ts';
import {
  BLOCK_SIZE,
  octalField,
  roundUp,
  type TarMember,
  type TarOwnership,
  TYPE_FLAGS,
  writeChecksum,
} from './tar-member.ts';

/** Bytes of the name and link name fields. */
export const NAME_LENGTH = 100;
/** Bytes of the owner name fields. */
export const OWNER_NAME_LENGTH = 32;
/** What does not fit 7 octal digits. */
export const ID_LIMIT = 8 ** 7;
/** What does not fit 11 octal digits. */
export const NUMBER_LIMIT = 8 ** 11;
/** Magic and version. */
export const MAGIC = 'ustar\x0000';
export const NON_ASCII = /[\x80-\xff]/;
const PAX_NAME = '././@PaxHeader';

/** The member's header blocks: 512 bytes, or more with an extended header. */
export function encodePaxHeader(member: TarMember, ownership: TarOwnership): Buffer {
  const header = encodeUstarHeader(member, ownership);
  const records = paxRecords(member, ownership);
  return records.length === 0 ? header : Buffer.concat([encodeExtendedHeader(records), header]);
}

/** Bytes that `encodePaxHeader` gives. */
export function paxHeaderSize(member: TarMember, ownership: TarOwnership): number {
  const records = paxRecords(member, ownership).length;
  return records === 0 ? BLOCK_SIZE : 2 * BLOCK_SIZE + roundUp(records, BLOCK_SIZE);
}

function encodeUstarHeader(member: TarMember, ownership: TarOwnership): Buffer {
  const header = Buffer.from(commonFieldsOf(ownership).template);
  header.write(fixedText(member.name, NAME_LENGTH), 0, 'latin1');
  header.write(octalField(member.mode, 8), 100, 'latin1');
  header.write(octalField(orZero(member.size, NUMBER_LIMIT), 12), 124, 'latin1');
  header.write(TYPE_FLAGS[member.kind], 156, 'latin1');
  header.write(fixedText(member.linkName, NAME_LENGTH), 157, 'latin1');
  writeChecksum(header);
  return header;
}

/** What all members of one owner have in common. */
interface CommonFields {
  /** A header with their fields filled in. */
  readonly template: Buffer;
  /** Whether they need no extended header. */
  readonly fit: boolean;
}

const commonFields = new WeakMap<TarOwnership, CommonFields>();

/** Made once for each owner, as there are tens of thousands of members. */
function commonFieldsOf(ownership: TarOwnership): CommonFields {
  let fields = commonFields.get(ownership);
  if (fields === undefined) {
    fields = { template: encodeOwnership(ownership), fit: ownershipFits(ownership) };
    commonFields.set(ownership, fields);
  }
  return fields;
}

function encodeOwnership({ uid, gid, mtimeSeconds, uname, gname }: TarOwnership): Buffer {
  const header = Buffer.alloc(BLOCK_SIZE);
  header.write(octalField(orZero(uid, ID_LIMIT), 8), 108, 'latin1');
  header.write(octalField(orZero(gid, ID_LIMIT), 8), 116, 'latin1');
  header.write(octalField(orZero(mtimeSeconds, NUMBER_LIMIT), 12), 136, 'latin1');
  header.write(MAGIC, 257, 'latin1');
  header.write(fixedText(uname, OWNER_NAME_LENGTH), 265, 'latin1');
  header.write(fixedText(gname, OWNER_NAME_LENGTH), 297, 'latin1');
  return header;
}

/** A member whose records apply to the member that follows. @param records as `paxRecord` makes them */
export function encodeExtendedHeader(records: Buffer): Buffer {
  const blocks = Buffer.alloc(BLOCK_SIZE + roundUp(records.length, BLOCK_SIZE));
  const header = blocks.subarray(0, BLOCK_SIZE);
  header.write(PAX_NAME, 0, 'latin1');
  for (const at of [100, 108, 116]) header.write(octalField(0, 8), at, 'latin1');
  header.write(octalField(records.length, 12), 124, 'latin1');
  header.write(octalField(0, 12), 136, 'latin1');
  header.write('x', 156, 'latin1');
  header.write(MAGIC, 257, 'latin1');
  writeChecksum(header);
  records.copy(blocks, BLOCK_SIZE);
  return blocks;
}

/** The extended header's records, empty when everything fits the ustar header. */
export function paxRecords(member: TarMember, ownership: TarOwnership): Buffer {
  // Most members need none, and there are tens of thousands.
  if (fitsUstar(member) && commonFieldsOf(ownership).fit) return NO_RECORDS;
  const values: [keyword: string, value: string][] = [];
  const text = (keyword: string, value: string, limit: number): void => {
    if (value.length > limit || NON_ASCII.test(value)) values.push([keyword, value]);
  };
  const number = (keyword: string, value: number, limit: number): void => {
    if (value < 0 || value >= limit) values.push([keyword, String(value)]);
  };
  text('path', member.name, NAME_LENGTH);
  text('linkpath', member.linkName, NAME_LENGTH);
  text('uname', ownership.uname, OWNER_NAME_LENGTH);
  text('gname', ownership.gname, OWNER_NAME_LENGTH);
  number('uid', ownership.uid, ID_LIMIT);
  number('gid', ownership.gid, ID_LIMIT);
  number('size', member.size, NUMBER_LIMIT);
  number('mtime', ownership.mtimeSeconds, NUMBER_LIMIT);
  if (values.some(([, value]) => !isUtf8(value))) values.unshift(['hdrcharset', 'BINARY']);
  values.push(...xattrRecords(member));
  return Buffer.from(values.map(([keyword, value]) => paxRecord(keyword, value)).join(''), 'latin1');
}

const NO_RECORDS = Buffer.alloc(0);

function fitsUstar({ name, linkName, size, xattrs }: TarMember): boolean {
  return (
    fits(name, NAME_LENGTH) && fits(linkName, NAME_LENGTH) && size < NUMBER_LIMIT && xattrs === undefined
  );
}

function ownershipFits({ uid, gid, mtimeSeconds, uname, gname }: TarOwnership): boolean {
  const texts = fits(uname, OWNER_NAME_LENGTH) && fits(gname, OWNER_NAME_LENGTH);
  return (
    texts &&
    orZero(uid, ID_LIMIT) === uid &&
    orZero(gid, ID_LIMIT) === gid &&
    orZero(mtimeSeconds, NUMBER_LIMIT) === mtimeSeconds
  );
}

function fits(text: string, length: number): boolean {
  return text.length <= length && !NON_ASCII.test(text);
}

/** Keywords and values of a member's extended attributes, whose values are bytes whatever `hdrcharset` says. */
export function xattrRecords({ xattrs = [] }: TarMember): [keyword: string, value: string][] {
  return xattrs.map(([name, value]) => [`SCHILY.xattr.${name}`, value]);
}

/** `LENGTH KEYWORD=VALUE\n`, where LENGTH counts itself. */
export function paxRecord(keyword: string, value: string): string {
  const rest = keyword.length + value.length + ' =\n'.length;
  let length = rest;
  while (length !== rest + String(length).length) length = rest + String(length).length;
  return `${length} ${keyword}=${value}\n`;
}

/** ASCII with every other code point (or byte that is not UTF-8) as `?`, cut to the field. */
export function fixedText(text: string, length: number): string {
  if (!NON_ASCII.test(text)) return text.slice(0, length);
  const codePoints = surrogateEscape(text).slice(0, length);
  return codePoints.map((codePoint) => (codePoint < 0x80 ? String.fromCharCode(codePoint) : '?')).join('');
}

/** What a field has whose number is in the extended header: below 0, or `limit` and more. */
export function orZero(value: number, limit: number): number {
  return value < 0 || value >= limit ? 0 : value;
}

/** @param text latin1 */
export function isUtf8(text: string): boolean {
  return (
    !NON_ASCII.test(text) ||
    !surrogateEscape(text).some((codePoint) => codePoint >= 0xdc80 && codePoint <= 0xdcff)
  );
}
