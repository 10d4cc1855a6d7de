/** Which entry of a config's history is whose layer. */
import { PhylloError } from '../errors.ts';
import type { ParsedImageConfig } from '../image/image-documents.ts';
import type { JsonObject } from '../image/json.ts';

/** By layer, bottom to top; nothing where the history does not tell. */
export function layerHistories({ diffIDs, history }: ParsedImageConfig): readonly (JsonObject | undefined)[] {
  const withLayer = history.filter((entry) => entry['empty_layer'] !== true);
  return withLayer.length === diffIDs.length ? withLayer : [];
}

/** @throws PhylloError ARCHIVE_INVALID */
export function requireLayerCount(
  layers: readonly unknown[],
  { config, origin }: { readonly config: ParsedImageConfig; readonly origin: string },
): void {
  const { length } = config.diffIDs;
  if (layers.length === length) return;
  throw new PhylloError(
    'ARCHIVE_INVALID',
    `${origin} has ${layers.length} layers, and its config has diff IDs for ${length}`,
    { hint: 'the image is damaged: make or download it again' },
  );
}
