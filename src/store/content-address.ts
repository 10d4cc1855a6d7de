/**
 * Store paths whose names are made from their contents: who knows the contents needs no signature.
 *
 * A path's hash part is `compress(sha256("TYPE:sha256:HEX:STOREDIR:NAME"))`, where TYPE and HEX follow from how the contents
 * were addressed. Of a path that refers to itself, HEX is of its NAR without the references to itself: modulo-hash.ts.
 *
 * @see Nix manual, "Complete Store Path Calculation"; nix/src/libstore/store-api.cc, `makeFixedOutputPath`
 */
import { createHash } from 'node:crypto';
import { type Digest, digestHex } from '../digest.ts';
import { PhylloError } from '../errors.ts';
import { parseNixHash, toNixBase32 } from './nix-hash.ts';
import { hashPart, storePathName } from './store-path.ts';
import type { PathInfo } from './store.ts';

/**
 * `nar`: the NAR's hash vouches for the path. The others are still to be compared. `contents`: the hash of the one file in it.
 * `modulo`: the NAR's hash without its references to itself.
 */
export type Vouched =
  | { readonly by: 'nar' }
  | { readonly by: 'contents'; readonly hash: Digest }
  | { readonly by: 'modulo'; readonly hash: Digest };

const HASH_PART_BYTES = 20;
const FORM = /^(fixed:r|fixed|text):(sha256:.+)$/;

/** Undefined when the path info has no content address, one of another kind, or one that belongs to another path. */
export function vouchedFor(info: PathInfo, storeDir: string): Vouched | undefined {
  const address = parseAddress(info.ca);
  if (address === undefined) return undefined;
  const { method, hash } = address;
  if (addressedHashPart({ ...info, storeDir, ...address }) !== hashPart(info.path)) return undefined;
  if (method !== 'fixed:r') return { by: 'contents', hash };
  if (info.references.includes(info.path)) return { by: 'modulo', hash };
  return hash === info.narHash ? { by: 'nar' } : undefined;
}

interface Address {
  readonly method: 'fixed:r' | 'fixed' | 'text';
  readonly hash: Digest;
}

function parseAddress(ca: string | undefined): Address | undefined {
  const [, method, hash = ''] = FORM.exec(ca ?? '') ?? [];
  if (method === undefined) return undefined;
  try {
    return { method: method as Address['method'], hash: parseNixHash(hash) };
  } catch (error) {
    if (error instanceof PhylloError) return undefined;
    throw error;
  }
}

type Addressed = PathInfo & Address & { readonly storeDir: string };

function addressedHashPart({ path, references, storeDir, method, hash }: Addressed): string | undefined {
  const name = storePathName(path);
  const make = (type: string, inner: string): string =>
    compressed(sha256(`${type}:sha256:${inner}:${storeDir}:${name}`));
  const others = references.filter((reference) => reference !== path);
  const self = others.length === references.length ? [] : ['self'];
  if (method === 'fixed:r') return make(['source', ...others, ...self].join(':'), digestHex(hash));
  // Files that are addressed flat, and texts, cannot know their own names.
  if (self.length > 0) return undefined;
  if (method === 'text') return make(['text', ...references].join(':'), digestHex(hash));
  if (references.length > 0) return undefined;
  return make('output:out', sha256(`fixed:out:${hash}:`).toString('hex'));
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** 20 bytes, into which all others are folded. */
function compressed(hash: Buffer): string {
  const folded = Buffer.alloc(HASH_PART_BYTES);
  for (const [at, byte] of hash.entries()) {
    const place = at % HASH_PART_BYTES;
    folded[place] = (folded[place] as number) ^ byte;
  }
  return toNixBase32(folded);
}
