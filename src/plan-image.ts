/** Which store paths an image needs, and how they are divided: everything that can be said before a file is read. */
import type { ImageSettings } from './image/image-settings.ts';
import { PhylloError } from './errors.ts';
import { checkLayerCount } from './plan/layer-budget.ts';
import type { LayerPlan } from './plan/layer-plan.ts';
import { planLayers } from './plan/plan-layers.ts';
import { findMentions, resolveMentions } from './store/mentions.ts';
import type { Closure, Store } from './store/store.ts';
import { parseStorePath, type StorePath } from './store/store-path.ts';

export interface ImagePlan {
  readonly closure: Closure;
  /** In the description's order. */
  readonly contents: readonly StorePath[];
  /** Store layers, bottom to top; the customisation layer comes above them. */
  readonly layers: readonly LayerPlan[];
  /** One sentence each. */
  readonly warnings: readonly string[];
}

/**
 * @throws PhylloError STORE_PATH_INVALID, STORE_PATH_UNKNOWN, MENTION_UNKNOWN, CLOSURE_INCOMPLETE, CLOSURE_CYCLE,
 * BUDGET_TOO_SMALL, TOO_MANY_LAYERS, and what the store throws
 */
export async function planImage(settings: ImageSettings, store: Store): Promise<ImagePlan> {
  const contents = parseContents(settings.contents, store.storeDir);
  const mentioned = await resolveMentions(findMentions({ config: settings.config }, store.storeDir), store);
  const closure = await store.closure([...new Set([...contents, ...mentioned])]);
  const { layers, warnings } = planLayers(closure, { ...settings, baseLayers: 0 });
  const tooMany = checkLayerCount(layers.length + 1);
  return {
    closure,
    contents,
    layers,
    warnings: [...settings.warnings, ...warnings, ...(tooMany === undefined ? [] : [tooMany])],
  };
}

function parseContents(contents: readonly string[], storeDir: string): StorePath[] {
  const problems: string[] = [];
  const paths = contents.flatMap((text, i) => {
    try {
      return [parseStorePath(text, storeDir)];
    } catch (error) {
      if (!(error instanceof PhylloError)) throw error;
      problems.push(`contents[${i}]: ${error.message}`);
      return [];
    }
  });
  if (problems.length === 0) return paths;
  throw new PhylloError('STORE_PATH_INVALID', problems.join('; '), {
    hint: `contents takes whole store paths: ${storeDir}/<32 characters>-<name>`,
  });
}
