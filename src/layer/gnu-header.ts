/**
 * Headers of the customisation layer: GNU format, as GNU tar 1.34 writes with `--numeric-owner`. Owner names are empty.
 * A name or target above 100 bytes goes before its member as the content of a `././@LongLink` member, the target (type K)
 * before the name (type L).
 *
 * @see GNU tar manual, "Basic Tar Format", OLDGNU_MAGIC and GNUTYPE_LONGNAME
 */
import { encodeExtendedHeader, paxRecord, xattrRecords } from './pax-header.ts';
import { BLOCK_SIZE, octalField, roundUp, type TarMember, TYPE_FLAGS, writeChecksum } from './tar-member.ts';

const NAME_LENGTH = 100;
const ID_LIMIT = 8 ** 7;
const NUMBER_LIMIT = 8 ** 11;
const LONG_LINK = '././@LongLink';
const MAGIC = 'ustar  \0';

export interface GnuOwnership {
  readonly mtimeSeconds: number;
  readonly uid: number;
  readonly gid: number;
}

/** The member's header blocks, long names included. */
export function encodeGnuHeader(member: TarMember, ownership: GnuOwnership): Buffer {
  return Buffer.concat([
    ...xattrHeader(member),
    ...longLink('K', member.linkName),
    ...longLink('L', member.name),
    encodeHeader({ ...member, ...ownership, type: TYPE_FLAGS[member.kind] }),
  ]);
}

/** Bytes that `encodeGnuHeader` gives. */
export function gnuHeaderSize(member: TarMember): number {
  const [extended = ''] = xattrHeader(member);
  return extended.length + BLOCK_SIZE + longLinkSize(member.linkName) + longLinkSize(member.name);
}

/** GNU format has no extended attributes; every program that knows them reads POSIX's extended header before it. */
function xattrHeader(member: TarMember): Buffer[] {
  const records = xattrRecords(member).map(([keyword, value]) => paxRecord(keyword, value));
  return records.length === 0 ? [] : [encodeExtendedHeader(Buffer.from(records.join(''), 'latin1'))];
}

interface HeaderFields extends GnuOwnership {
  readonly name: string;
  readonly mode: number;
  readonly size: number;
  readonly type: string;
  readonly linkName: string;
}

function encodeHeader(fields: HeaderFields): Buffer {
  const header = Buffer.alloc(BLOCK_SIZE);
  header.write(fields.name.slice(0, NAME_LENGTH), 0, 'latin1');
  header.write(octalField(fields.mode, 8), 100, 'latin1');
  writeNumber(header.subarray(108, 116), fields.uid, ID_LIMIT);
  writeNumber(header.subarray(116, 124), fields.gid, ID_LIMIT);
  writeNumber(header.subarray(124, 136), fields.size, NUMBER_LIMIT);
  writeNumber(header.subarray(136, 148), fields.mtimeSeconds, NUMBER_LIMIT);
  header.write(fields.type, 156, 'latin1');
  header.write(fields.linkName.slice(0, NAME_LENGTH), 157, 'latin1');
  header.write(MAGIC, 257, 'latin1');
  writeChecksum(header);
  return header;
}

function longLink(type: 'K' | 'L', text: string): Buffer[] {
  if (text.length <= NAME_LENGTH) return [];
  const size = text.length + 1;
  const header = encodeHeader({
    name: LONG_LINK,
    mode: 0o644,
    uid: 0,
    gid: 0,
    size,
    mtimeSeconds: 0,
    type,
    linkName: '',
  });
  const content = Buffer.alloc(roundUp(size, BLOCK_SIZE));
  content.write(text, 'latin1');
  return [header, content];
}

function longLinkSize(text: string): number {
  return text.length <= NAME_LENGTH ? 0 : BLOCK_SIZE + roundUp(text.length + 1, BLOCK_SIZE);
}

/** Octal digits, or base-256 with the top bit set (two's complement) where the digits do not suffice. */
function writeNumber(field: Buffer, value: number, limit: number): void {
  if (value >= 0 && value < limit) {
    field.write(octalField(value, field.length), 'latin1');
    return;
  }
  let rest = BigInt(value);
  for (let at = field.length - 1; at >= 0; at -= 1) {
    field[at] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  field[0] = value < 0 ? 0xff : 0x80;
}
