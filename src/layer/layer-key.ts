/** What a layer's bytes are a function of, as a key: equal keys, equal bytes. */
import { createHash } from 'node:crypto';
import { type Digest, finishDigest } from '../digest.ts';
import type { PathInfo } from '../store/store.ts';
import type { TarOwnership } from './tar-member.ts';

export type LayerKey = Digest;

/** Changes whenever the same input would give other bytes. */
const STORE_LAYER_FORMAT = 'store-layer-1';
const CUSTOMISATION_FORMAT = 'customisation-layer-1';

type KeyPath = Pick<PathInfo, 'path' | 'narHash'>;

/** @param permissions those that concern any of the paths */
export function storeLayerKey(
  paths: readonly KeyPath[],
  { ownership, permissions }: { readonly ownership: TarOwnership; readonly permissions: readonly unknown[] },
): LayerKey {
  const { mtimeSeconds, uid, gid, uname, gname } = ownership;
  return keyOf([STORE_LAYER_FORMAT, pairs(paths), mtimeSeconds, uid, gid, uname, gname, ...permissions]);
}

/** Of a layer that joins store paths at `/` as symlinks, and has nothing else. */
export function contentsLayerKey(contents: readonly KeyPath[]): LayerKey {
  return keyOf([CUSTOMISATION_FORMAT, pairs(contents)]);
}

function pairs(paths: readonly KeyPath[]): unknown {
  return paths.map(({ path, narHash }) => [path, narHash]);
}

function keyOf(input: unknown): LayerKey {
  return finishDigest(createHash('sha256').update(JSON.stringify(input)));
}
