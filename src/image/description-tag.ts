/** The tag of an image whose description gives none: a hash of all that decides what is in it. */
import { createHash } from 'node:crypto';
import type { ChangeRecord } from '../plan/change-record.ts';
import type { LayerPlan } from '../plan/layer-plan.ts';
import { toNixBase32 } from '../store/nix-hash.ts';
import type { ImageSettings } from './image-settings.ts';

const HASH_BYTES = 20;

export interface TaggedImage {
  readonly layers: readonly LayerPlan[];
  /** What the customisation layer has that the settings do not tell. */
  readonly fingerprint: string | undefined;
  /** What the image carries for the next plan. */
  readonly changes?: ChangeRecord | undefined;
}

/** 32 characters of Nix's base 32. The same whatever store the closure was read from. */
export function descriptionTag(
  settings: ImageSettings,
  { layers, fingerprint, changes }: TaggedImage,
): string {
  const {
    warnings: _,
    tag: _tag,
    fromImage: _base,
    configOrder: _order,
    customisationLayer: _layer,
    previous: _previous,
    previousOptional: _optional,
    ...decisive
  } = settings;
  const plan = layers.map(({ paths }) => paths.map(({ path, narHash }) => [path, narHash]));
  const hash = createHash('sha256')
    .update(JSON.stringify([decisive, plan, fingerprint, ...(changes === undefined ? [] : [changes])]))
    .digest();
  return toNixBase32(fold(hash));
}

/** Nix's way to shorten a hash: what is cut off is exclusive-ored onto what stays. */
function fold(hash: Buffer): Buffer {
  const folded = Buffer.alloc(HASH_BYTES);
  for (const [i, byte] of hash.entries()) folded[i % HASH_BYTES] = (folded[i % HASH_BYTES] as number) ^ byte;
  return folded;
}
