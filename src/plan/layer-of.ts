/** Making a layer's plan from its paths. */
import type { PathInfo } from '../store/store.ts';
import type { LayerPlan, LayerReason } from './layer-plan.ts';

/** `paths` in the order of the layer's tar, at least one. */
export function layerOf(paths: readonly PathInfo[], reason: LayerReason): LayerPlan {
  return { paths, narSize: sumOfNarSizes(paths), reason };
}

export function sumOfNarSizes(paths: readonly PathInfo[]): number {
  return paths.reduce((sum, { narSize }) => sum + narSize, 0);
}
