/**
 * Whether what a binary cache says of a store path can be believed.
 *
 * @see Nix manual, "Signing Store Objects"; nix/src/libstore/path-info.cc, `ValidPathInfo::fingerprint`
 */
import { digestHex } from '../digest.ts';
import { PhylloError } from '../errors.ts';
import { type Vouched, vouchedFor } from './content-address.ts';
import { listed } from './listed.ts';
import type { Narinfo } from './narinfo.ts';
import { toNixBase32 } from './nix-hash.ts';
import { isSignedBy, type PublicKey } from './signing-key.ts';
import type { PathInfo } from './store.ts';

/** `everything`: nothing is checked but that NARs are what narinfos say. */
export type Trust = 'everything' | { readonly keys: readonly PublicKey[] };

export type Verdict =
  { readonly trusted: true; readonly vouched: Vouched | undefined } | { readonly trusted: false };

/** A signature goes before a content address: it says the NAR's hash, and nothing is left to compare. */
export function judge(
  narinfo: Narinfo,
  { trust, storeDir }: { readonly trust: Trust; readonly storeDir: string },
): Verdict {
  if (trust === 'everything') return { trusted: true, vouched: undefined };
  if (isSignedBy(fingerprintOf(narinfo), { ...narinfo, ...trust }))
    return { trusted: true, vouched: undefined };
  const vouched = vouchedFor(narinfo, storeDir);
  return vouched === undefined ? { trusted: false } : { trusted: true, vouched };
}

/** What a signature is of. */
export function fingerprintOf({ path, narHash, narSize, references }: PathInfo): string {
  const hash = toNixBase32(Buffer.from(digestHex(narHash), 'hex'));
  return `1;${path};sha256:${hash};${narSize};${references.join(',')}`;
}

export function untrusted(
  { path, signatures }: Narinfo,
  { cache, keys }: { readonly cache: string; readonly keys: readonly PublicKey[] },
): PhylloError {
  const signers = signatures.map((signature) => signature.split(':')[0] as string);
  const signed = signers.length === 0 ? 'it is not signed' : `it is signed by ${listed(signers)}`;
  const names = keys.map(({ name }) => name);
  const trusted = names.length === 0 ? 'no key is trusted' : `trusted are ${listed(names)}`;
  const isForged = signers.some((signer) => names.includes(signer));
  return new PhylloError(
    'SIGNATURE_MISSING',
    `cannot trust what ${cache} says of ${path}: ${signed}, ${isForged ? 'and the signature is wrong' : trusted}`,
    {
      hint: "trust the cache's key with --trusted-public-keys, or sign the paths with nix store sign; --no-check-sigs believes the cache",
    },
  );
}
