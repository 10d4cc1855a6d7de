/** The image before: what the plan of the next one keeps of it, and what an update from it costs. */
import { PhylloError } from './errors.ts';
import type { ImageSettings } from './image/image-settings.ts';
import type { PreviousLayers } from './plan/steady.ts';
import type { Base } from './open-base.ts';
import { type ReadSeenImage, seeImage } from './transport/seen-image.ts';
import type { OpenImageOptions } from './transport/source-image.ts';

export interface Previous {
  /** Undefined: none is given, or it is of no use and need not be. */
  readonly image: ReadSeenImage | undefined;
  readonly layers: PreviousLayers | undefined;
  /** One sentence each. */
  readonly warnings: readonly string[];
}

const NO_PREVIOUS: Previous = { image: undefined, layers: undefined, warnings: [] };

/** With `previousOptional`, these make a plan without history. */
const MISSING = new Set([
  'PREVIOUS_INVALID',
  'IMAGE_NOT_FOUND',
  'FILE_UNREADABLE',
  // Some registries answer so for what is not there.
  'REGISTRY_UNAUTHORIZED',
]);

/** @throws PhylloError PREVIOUS_INVALID, and what `openImage` throws */
export async function openPrevious(
  { previous, previousOptional, platform, layering }: ImageSettings,
  { base, ...opening }: Pick<OpenImageOptions, 'signal' | 'registries' | 'daemon'> & { readonly base: Base },
): Promise<Previous> {
  if (previous === undefined) return NO_PREVIOUS;
  const isUsed = layering.kind === 'steady';
  try {
    const image = await seeImage(previous, { ...opening, preferred: platform });
    const warnings = isUsed ? [] : ['previous: only the layering steady keeps layers of the previous image'];
    return { image, layers: previousLayers(image, base), warnings };
  } catch (error) {
    if (!previousOptional || !(error instanceof PhylloError) || !MISSING.has(error.code)) throw error;
    return { ...NO_PREVIOUS, warnings: [`planned without the previous image: ${error.message}`] };
  }
}

/** Layers of the base that both images stand on are not the plan's to keep. */
function previousLayers({ layers, changes, origin }: ReadSeenImage, base: Base): PreviousLayers {
  let own = 0;
  while (own < base.layers.length && layers[own]?.diffID === base.layers[own]?.blob?.diffID) own++;
  const store = layers.slice(own).filter(({ kind }) => kind === 'store');
  if (store.length === 0) {
    throw new PhylloError('PREVIOUS_INVALID', `${origin} does not tell which store paths its layers hold`, {
      hint: 'name an image of phyllo, or a plan that `phyllo plan --json` printed; --previous-optional plans without it',
    });
  }
  return { layers: store.map(({ paths }) => paths), ...(changes === undefined ? {} : { changes }) };
}
