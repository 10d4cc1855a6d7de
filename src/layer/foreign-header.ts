/**
 * Headers of tar members that come from elsewhere, with all that a header can say: other types, owners of their own,
 * extended records. Written in the form that CPython's `tarfile` gives to a member it has read (PAX format): records that
 * were there come first and win, what does not fit the ustar header is added.
 *
 * Fields are those of pax-header.ts, which is for members that we make; devmajor and devminor (8 bytes each) are at 329 and 337.
 *
 * @see POSIX.1-2017 pax, "pax Header Block"; CPython, Lib/tarfile.py, TarInfo.create_pax_header
 */
import {
  encodeExtendedHeader,
  fixedText,
  ID_LIMIT,
  isUtf8,
  MAGIC,
  NAME_LENGTH,
  NON_ASCII,
  NUMBER_LIMIT,
  orZero,
  OWNER_NAME_LENGTH,
  paxRecord,
} from './pax-header.ts';
import { BLOCK_SIZE, octalField, writeChecksum } from './tar-member.ts';

/** Texts are latin1 strings, one code unit per byte. */
export interface ForeignHeader {
  /** No slash at its end, whatever the type. */
  readonly name: string;
  /** 0 to 0o7777. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes of content. */
  readonly size: number;
  /** Whole seconds; a fraction is in `pax`. */
  readonly mtimeSeconds: number;
  /** One character. @see POSIX.1-2017 pax, "ustar Interchange Format", typeflag */
  readonly type: string;
  /** Target of a link, else ''. */
  readonly linkName: string;
  readonly uname: string;
  readonly gname: string;
  readonly devMajor: number;
  readonly devMinor: number;
  /** Extended records by keyword, in their order. */
  readonly pax: ReadonlyMap<string, string>;
}

const DEVICES = /^[34]$/;

/** The member's header blocks. */
export function encodeForeignHeader(header: ForeignHeader): Buffer {
  const pax = paxOf(header);
  const ustar = encodeUstar(header);
  if (pax.size === 0) return ustar;
  return Buffer.concat([encodeExtendedHeader(encodeRecords(pax)), ustar]);
}

function paxOf(header: ForeignHeader): Map<string, string> {
  const pax = new Map(header.pax);
  const text = (keyword: string, value: string, limit: number): void => {
    if (!pax.has(keyword) && (value.length > limit || NON_ASCII.test(value))) pax.set(keyword, value);
  };
  const number = (keyword: string, value: number, limit: number): void => {
    if (!pax.has(keyword) && orZero(value, limit) !== value) pax.set(keyword, String(value));
  };
  text('path', nameOf(header), NAME_LENGTH);
  text('linkpath', header.linkName, NAME_LENGTH);
  text('uname', header.uname, OWNER_NAME_LENGTH);
  text('gname', header.gname, OWNER_NAME_LENGTH);
  number('uid', header.uid, ID_LIMIT);
  number('gid', header.gid, ID_LIMIT);
  number('size', header.size, NUMBER_LIMIT);
  number('mtime', header.mtimeSeconds, NUMBER_LIMIT);
  return pax;
}

function encodeRecords(pax: ReadonlyMap<string, string>): Buffer {
  const records = [...pax].map(([keyword, value]) => paxRecord(keyword, value));
  const isBinary = [...pax.values()].some((value) => !isUtf8(value));
  return Buffer.from((isBinary ? paxRecord('hdrcharset', 'BINARY') : '') + records.join(''), 'latin1');
}

function encodeUstar(header: ForeignHeader): Buffer {
  const block = Buffer.alloc(BLOCK_SIZE);
  block.write(fixedText(nameOf(header), NAME_LENGTH), 0, 'latin1');
  block.write(octalField(header.mode, 8), 100, 'latin1');
  block.write(octalField(orZero(header.uid, ID_LIMIT), 8), 108, 'latin1');
  block.write(octalField(orZero(header.gid, ID_LIMIT), 8), 116, 'latin1');
  block.write(octalField(orZero(header.size, NUMBER_LIMIT), 12), 124, 'latin1');
  block.write(octalField(orZero(header.mtimeSeconds, NUMBER_LIMIT), 12), 136, 'latin1');
  block.write(header.type, 156, 'latin1');
  block.write(fixedText(header.linkName, NAME_LENGTH), 157, 'latin1');
  block.write(MAGIC, 257, 'latin1');
  block.write(fixedText(header.uname, OWNER_NAME_LENGTH), 265, 'latin1');
  block.write(fixedText(header.gname, OWNER_NAME_LENGTH), 297, 'latin1');
  if (DEVICES.test(header.type)) {
    block.write(octalField(orZero(header.devMajor, ID_LIMIT), 8), 329, 'latin1');
    block.write(octalField(orZero(header.devMinor, ID_LIMIT), 8), 337, 'latin1');
  }
  writeChecksum(block);
  return block;
}

function nameOf({ name, type }: ForeignHeader): string {
  return type === '5' ? `${name}/` : name;
}
