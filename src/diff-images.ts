/** Two images, or plans of them: what the update costs, and why. */
import { PhylloError } from './errors.ts';
import { compareImages, type UpdateCost } from './plan/update-cost.ts';
import { type CacheSettings, openStore } from './store/open-store.ts';
import type { Closure } from './store/store.ts';
import { parseStorePath } from './store/store-path.ts';
import type { OpenImageOptions } from './transport/source-image.ts';
import { seeImage } from './transport/seen-image.ts';

export interface DiffOptions extends OpenImageOptions {
  /** Whose references say why paths changed; default: the local store where it has the paths, else names alone tell. */
  readonly store?: string;
  readonly caches?: CacheSettings;
}

/** @throws PhylloError PREVIOUS_INVALID (a plan that is none), what `openImage` throws, and what a store that was asked for throws */
export async function diffImages(
  { old, fresh }: { readonly old: string; readonly fresh: string },
  options: DiffOptions = {},
): Promise<UpdateCost> {
  const before = await seeImage(old, options);
  const after = await seeImage(fresh, options);
  const paths = [...new Set(after.layers.flatMap((layer) => layer.paths))];
  const closure = await findClosure(paths, options);
  if (closure === undefined) return compareImages(before, after);
  const sizes = closure.paths.map(({ path, narSize }) => [path, narSize] as const);
  const pathSizes = new Map<string, number>([...after.pathSizes, ...sizes]);
  const references = new Map(closure.paths.map((info) => [info.path, info.references]));
  return compareImages(before, { ...after, pathSizes }, { references });
}

/** Undefined where no store was asked for and the local one does not have them all. */
async function findClosure(
  paths: readonly string[],
  { store: place, caches }: Pick<DiffOptions, 'store' | 'caches'>,
): Promise<Closure | undefined> {
  if (paths.length === 0) return undefined;
  try {
    const store = await openStore({ store: place ?? 'auto', ...(caches === undefined ? {} : { caches }) });
    try {
      return await store.closure(paths.map((path) => parseStorePath(path, store.storeDir)));
    } finally {
      store.close();
    }
  } catch (error) {
    if (place !== undefined || !(error instanceof PhylloError)) throw error;
    return undefined;
  }
}
