/** Which store paths an image needs, and how they are divided: everything that can be said before a file is read. */
import type { ImageSettings } from './image/image-settings.ts';
import { PhylloError } from './errors.ts';
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
 * BUDGET_TOO_SMALL, TOO_MANY_LAYERS, LAYERING_INVALID, PIPELINE_INVALID, and what the store throws
 */
export async function planImage(settings: ImageSettings, store: Store): Promise<ImagePlan> {
  const contents = parsePaths('contents', settings.contents, store.storeDir);
  const excluded = parsePaths('excludePaths', settings.excludePaths, store.storeDir);
  const mentioned = await resolveMentions(findMentions({ config: settings.config }, store.storeDir), store);
  const closure = await store.closure([...new Set([...contents, ...excluded, ...mentioned])]);
  const layering = { ...settings.layering, ignore: excluded };
  const { layers, warnings } = planLayers(closure, { ...settings, layering, baseLayers: 0 });
  return { closure, contents, layers, warnings: [...settings.warnings, ...warnings] };
}

/** Reports every text that is not a store path. */
function parsePaths(field: string, texts: readonly string[], storeDir: string): StorePath[] {
  const problems: string[] = [];
  const paths = texts.flatMap((text, i) => {
    try {
      return [parseStorePath(text, storeDir)];
    } catch (error) {
      if (!(error instanceof PhylloError)) throw error;
      problems.push(`${field}[${i}]: ${error.message}`);
      return [];
    }
  });
  if (problems.length === 0) return paths;
  throw new PhylloError('STORE_PATH_INVALID', problems.join('; '), {
    hint: `${field} takes whole store paths: ${storeDir}/<32 characters>-<name>`,
  });
}
