/** A sha256 digest as a value, in the form that OCI and Nix's database share: `sha256:` and 64 lower-case hex digits. */
import type { Hash } from 'node:crypto';
import { PhylloError } from './errors.ts';

/** Made only by this file's functions. @see OCI image-spec, descriptor.md, "Digests" */
export type Digest = `sha256:${string}` & { readonly __brand: 'Digest' };

const DIGEST = /^sha256:[0-9a-f]{64}$/;

export function isDigest(text: string): text is Digest {
  return DIGEST.test(text);
}

/** @throws PhylloError DIGEST_INVALID */
export function parseDigest(text: string): Digest {
  if (isDigest(text)) return text;
  throw new PhylloError(
    'DIGEST_INVALID',
    `not a digest: ${JSON.stringify(text)}, wanted sha256: and 64 hex digits`,
  );
}

/** Finishes `hash`, which must be a sha256 and is of no use afterwards. */
export function finishDigest(hash: Hash): Digest {
  return `sha256:${hash.digest('hex')}` as Digest;
}

/** The 64 hex digits alone, as they name a blob's file. */
export function digestHex(digest: Digest): string {
  return digest.slice('sha256:'.length);
}
