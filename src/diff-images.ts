/** Two images, or plans of them: what the update costs, and why. */
import { findClosure, type FindClosureOptions } from './find-closure.ts';
import { compareImages, type UpdateCost } from './plan/update-cost.ts';
import type { OpenImageOptions } from './transport/source-image.ts';
import { seeImage } from './transport/seen-image.ts';

/** The store's references say why paths changed; where none is known, names alone tell. */
export interface DiffOptions extends OpenImageOptions, FindClosureOptions {}

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
