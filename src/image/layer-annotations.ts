/** Layers' descriptors tell which store paths they hold: whoever reads the manifest alone knows. */
import type { Descriptor } from './blob.ts';

/** Store paths with spaces between them, in the order of the layer's tar. */
export const STORE_PATHS = 'dev.phyllo.store-paths';

/** Registries take manifests of 4 MiB. */
const MAX_TOTAL_BYTES = 1024 * 1024;

/**
 * With more store paths than manifests have room for, no layer tells; the config's history does in any case.
 * @param storePaths of each layer, perhaps none
 */
export function annotateLayers(
  layers: readonly Descriptor[],
  storePaths: readonly (readonly string[])[],
): readonly Descriptor[] {
  const texts = storePaths.map((paths) => paths.join(' '));
  if (texts.reduce((sum, text) => sum + text.length, 0) > MAX_TOTAL_BYTES) return layers;
  return layers.map((layer, i) => {
    const text = texts[i];
    if (!text) return layer;
    return { ...layer, annotations: { ...layer.annotations, [STORE_PATHS]: text } };
  });
}
