/** Store paths and path info made up for tests. */
import { createHash } from 'node:crypto';
import { parseNixHash, toNixBase32 } from '../../../src/store/nix-hash.ts';
import { parseStorePath, type StorePath } from '../../../src/store/store-path.ts';
import type { PathInfo } from '../../../src/store/store.ts';

/** The same name gives the same path. */
export function storePath(name: string, storeDir = '/nix/store'): StorePath {
  const hash = toNixBase32(createHash('sha256').update(name).digest().subarray(0, 20));
  return parseStorePath(`${storeDir}/${hash}-${name}`, storeDir);
}

/** References are names, as `storePath` takes them. */
export function pathInfo(name: string, references: readonly string[] = []): PathInfo {
  return {
    path: storePath(name),
    narHash: parseNixHash(createHash('sha256').update(`nar of ${name}`).digest('hex')),
    narSize: 100 + name.length,
    references: references.map((reference) => storePath(reference)).sort(),
  };
}
