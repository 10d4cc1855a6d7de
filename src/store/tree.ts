/**
 * The file tree of a store path as an ordered sequence of entries, and where its bytes come from.
 *
 * Names and link targets are bytes. They are carried as *latin1 strings*: one code unit per byte, so that no byte is lost
 * and `<` compares bytewise. `Buffer.from(name, 'latin1')` gives the bytes back.
 */
import type { Compression } from '../compression/decompress.ts';
import type { Digest } from '../digest.ts';
import type { HttpSettings } from '../http/http-client.ts';

export type TreeEntry =
  | { readonly kind: 'directory'; readonly path: string; readonly mode: number }
  | { readonly kind: 'file'; readonly path: string; readonly mode: number; readonly size: number }
  | { readonly kind: 'symlink'; readonly path: string; readonly mode: number; readonly target: string };
// `path`: latin1, relative to the store path, components joined by `/`; '' is the store path itself.
// `mode`: st_mode & 07777; 0777 for a symlink. `size`: bytes.

/** Where a tree is read. Plain data: it crosses to worker threads by structured clone. */
export type TreeSource = DirectorySource | NarSource;

export interface DirectorySource {
  readonly kind: 'directory';
  /** The store path's place on disk (not necessarily a directory: a store path may be a file or a symlink). */
  readonly location: string;
}

export interface NarSource {
  readonly kind: 'nar';
  /** The NAR's file on disk; of a remote one its address without what may be secret, for messages. */
  readonly location: string;
  readonly compression: Compression;
  /** Of the uncompressed NAR; checked whenever the NAR is read to its end. */
  readonly narHash: Digest;
  readonly narSize: number;
  /** Of the NAR as it is stored; checked as `narHash`. */
  readonly fileHash?: Digest;
  readonly fileSize?: number;
  /** sha256 of the one file that the NAR must hold, where the path's address vouches for that alone. */
  readonly contentHash?: Digest;
  /** Where the path's address vouches for the NAR without its references to itself. */
  readonly modulo?: ModuloAddress;
  /** Where it is fetched from when it is not on disk. */
  readonly remote?: RemoteNar;
}

export interface ModuloAddress {
  readonly hash: Digest;
  /** The path's own, as it refers to itself. */
  readonly hashPart: string;
}

export interface RemoteNar {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly http: NarHttpSettings;
  /** Where it is laid by for the next one who reads it. */
  readonly keep?: NarKeep;
}

/** What a worker needs to make a client of its own: plain data. */
export type NarHttpSettings = Omit<HttpSettings, 'onRetry'>;

export interface NarKeep {
  /** The NAR as it is stored, once it is whole; until then there is no such file. */
  readonly file: string;
  /** Bytes that may still be laid by, shared by all threads. */
  readonly budget: BigInt64Array<SharedArrayBuffer>;
}

/**
 * Orders the names of one directory as the layer tar does: by code point, with each byte that is not part of valid UTF-8
 * taken as the lone surrogate U+DC80 to U+DCFF. Arguments are latin1 strings.
 *
 * That is bytewise order but for an invalid byte next to a multi-byte character: the byte 80 comes after é (C3 A9).
 */
export function compareNames(left: string, right: string): number {
  if (left === right) return 0;
  if (ASCII.test(left) || ASCII.test(right)) return left < right ? -1 : 1;
  return compareCodePoints(surrogateEscape(left), surrogateEscape(right));
}

const ASCII = /^[\0-\x7f]*$/;

/**
 * The code points of a name whose bytes are UTF-8, invalid bytes escaped as CPython's `surrogateescape` does.
 * @param name latin1
 */
export function surrogateEscape(name: string): number[] {
  const bytes = Buffer.from(name, 'latin1');
  const codePoints: number[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = sequenceLength(bytes, at);
    if (length === 0) codePoints.push(0xdc00 + (bytes[at] as number));
    else codePoints.push(bytes.toString('utf8', at, at + length).codePointAt(0) as number);
    at += Math.max(1, length);
  }
  return codePoints;
}

/** Length of the well-formed UTF-8 sequence at `at`, 0 when there is none. @see Unicode 15, table 3-7 */
function sequenceLength(bytes: Buffer, at: number): number {
  const lead = bytes[at] as number;
  if (lead < 0x80) return 1;
  if (lead < 0xc2 || lead > 0xf4) return 0;
  const length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  for (let i = 1; i < length; i += 1) {
    const byte = bytes[at + i] ?? 0;
    const low = i > 1 ? 0x80 : lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
    const high = i > 1 ? 0xbf : lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
    if (byte < low || byte > high) return 0;
  }
  return length;
}

function compareCodePoints(left: readonly number[], right: readonly number[]): number {
  const length = Math.min(left.length, right.length);
  for (let i = 0; i < length; i += 1) {
    const difference = (left[i] as number) - (right[i] as number);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}
