/**
 * Nix's ways of writing a sha256, and Nix's base 32.
 *
 * @see Nix manual, "Hashes"; nix/src/libutil/hash.cc, `Hash::parseAny`
 */
import { isDigest, type Digest } from '../digest.ts';
import { PhylloError } from '../errors.ts';

const ALPHABET = '0123456789abcdfghijklmnpqrsvwxyz';
const VALUES: ReadonlyMap<string, number> = new Map(Array.from(ALPHABET, (digit, value) => [digit, value]));

const BASE16 = /^[0-9a-fA-F]{64}$/;
const BASE32_LENGTH = 52;
const BASE64 = /^[0-9A-Za-z+/]{43}=$/;

/**
 * Reads `sha256:` and base 16, base 32 or base 64; `sha256-` and base 64 (SRI); or any of the three alone, which are told
 * apart by length. Base 16 may be upper case; base 32 and base 64 must have zeros in the bits that they do not need.
 *
 * @throws PhylloError HASH_INVALID
 */
export function parseNixHash(text: string): Digest {
  if (isDigest(text)) return text;
  const bytes = decodeHash(text);
  if (bytes !== undefined) return `sha256:${Buffer.from(bytes).toString('hex')}` as Digest;
  throw new PhylloError('HASH_INVALID', `not a sha256 hash: ${JSON.stringify(text.slice(0, 200))}`, {
    hint: 'wanted sha256: and 64 hex or 52 base-32 digits, or sha256- and base 64',
  });
}

/** Nix's base 32, which writes the last bits first. `ceil(8 × bytes / 5)` digits. */
export function toNixBase32(bytes: Uint8Array): string {
  const digits = Array.from({ length: Math.ceil((bytes.length * 8) / 5) }, (_, digit) => {
    const byte = Math.floor((digit * 5) / 8);
    const pair = (bytes[byte] ?? 0) | ((bytes[byte + 1] ?? 0) << 8);
    return ALPHABET.charAt((pair >> ((digit * 5) % 8)) & 31);
  });
  return digits.reverse().join('');
}

/**
 * The bytes that `toNixBase32` wrote: `floor(5 × digits / 8)` of them.
 * @throws PhylloError HASH_INVALID for a character outside the alphabet, a number of digits that no bytes have, or bits left over
 */
export function fromNixBase32(text: string): Uint8Array {
  const bytes = decodeBase32(text);
  if (bytes !== undefined) return bytes;
  throw new PhylloError('HASH_INVALID', `not in Nix's base 32: ${JSON.stringify(text.slice(0, 200))}`, {
    hint: `its digits are ${ALPHABET}`,
  });
}

function decodeHash(text: string): Uint8Array | undefined {
  if (text.startsWith('sha256-')) return decodeBase64(text.slice('sha256-'.length));
  const digits = text.startsWith('sha256:') ? text.slice('sha256:'.length) : text;
  if (BASE16.test(digits)) return Buffer.from(digits, 'hex');
  return digits.length === BASE32_LENGTH ? decodeBase32(digits) : decodeBase64(digits);
}

function decodeBase64(digits: string): Uint8Array | undefined {
  if (!BASE64.test(digits)) return undefined;
  const bytes = Buffer.from(digits, 'base64');
  return bytes.toString('base64') === digits ? bytes : undefined;
}

function decodeBase32(text: string): Uint8Array | undefined {
  const bytes = new Uint8Array(Math.floor((text.length * 5) / 8));
  if (Math.ceil((bytes.length * 8) / 5) !== text.length) return undefined;
  for (let digit = 0; digit < text.length; digit += 1) {
    const value = VALUES.get(text.charAt(text.length - 1 - digit));
    if (value === undefined || !putBits(bytes, digit * 5, value)) return undefined;
  }
  return bytes;
}

/** Puts five bits at bit `at`, the least significant first. False when a bit that is set falls off the end. */
function putBits(bytes: Uint8Array, at: number, value: number): boolean {
  const byte = Math.floor(at / 8);
  const pair = value << (at % 8);
  bytes[byte] = (bytes[byte] ?? 0) | (pair & 0xff);
  if (byte + 1 < bytes.length) bytes[byte + 1] = pair >> 8;
  return byte + 1 < bytes.length || pair >> 8 === 0;
}
