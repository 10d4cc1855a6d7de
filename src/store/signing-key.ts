/**
 * Ed25519 keys in Nix's form, `NAME:BASE64`, as `nix-store --generate-binary-cache-key` writes them.
 *
 * A secret key is the 32 bytes of its seed and the 32 bytes of its public key.
 *
 * @see Nix manual, "nix-store --generate-binary-cache-key"; RFC 8032; RFC 8410, "Private Key Format"
 */
import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { PhylloError } from '../errors.ts';

export interface PublicKey {
  readonly name: string;
  readonly key: KeyObject;
}

export interface SecretKey {
  readonly name: string;
  readonly key: KeyObject;
}

const KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;
const PUBLIC_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');
const SECRET_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');

/** @throws PhylloError SIGNING_KEY_INVALID */
export function parsePublicKey(text: string): PublicKey {
  const { name, bytes } = parseNamed(text.trim());
  if (bytes.length !== KEY_BYTES) throw invalid('a public key', `it has ${bytes.length} bytes instead of 32`);
  const der = Buffer.concat([PUBLIC_PREFIX, bytes]);
  return { name, key: createPublicKey({ key: der, format: 'der', type: 'spki' }) };
}

/** The key is in no message. @throws PhylloError SIGNING_KEY_INVALID */
export function parseSecretKey(text: string): SecretKey {
  const { name, bytes } = parseNamed(text.trim());
  if (bytes.length !== 2 * KEY_BYTES)
    throw invalid('a secret key', `it has ${bytes.length} bytes instead of 64`);
  const der = Buffer.concat([SECRET_PREFIX, bytes.subarray(0, KEY_BYTES)]);
  return { name, key: createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }) };
}

/** `NAME:BASE64`. */
export function signText(text: string, { name, key }: SecretKey): string {
  return `${name}:${sign(null, Buffer.from(text), key).toString('base64')}`;
}

/** Whether any of the keys made any of the signatures; what is no signature counts as none. */
export function isSignedBy(
  text: string,
  { signatures, keys }: { readonly signatures: readonly string[]; readonly keys: readonly PublicKey[] },
): boolean {
  return signatures.some((signature) => {
    const colon = signature.indexOf(':');
    const bytes = Buffer.from(signature.slice(colon + 1), 'base64');
    if (colon < 1 || bytes.length !== SIGNATURE_BYTES) return false;
    const known = keys.filter(({ name }) => name === signature.slice(0, colon));
    return known.some(({ key }) => verify(null, Buffer.from(text), key, bytes));
  });
}

function parseNamed(text: string): { readonly name: string; readonly bytes: Buffer } {
  const [, name, base64] = /^([^:\s]+):([A-Za-z0-9+/]+={0,2})$/.exec(text) ?? [];
  if (name !== undefined && base64 !== undefined) return { name, bytes: Buffer.from(base64, 'base64') };
  throw invalid('a key', 'it does not look like NAME:BASE64');
}

function invalid(what: string, reason: string): PhylloError {
  return new PhylloError('SIGNING_KEY_INVALID', `not ${what}: ${reason}`, {
    hint: 'nix-store --generate-binary-cache-key NAME SECRET-FILE PUBLIC-FILE makes a pair',
  });
}
