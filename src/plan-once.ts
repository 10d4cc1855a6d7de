/**
 * Plans that are not made twice. A plan is a function of the closure and of what is asked for; a new image of an unchanged closure takes
 * it from memory, and a build in which nothing changed spends half as long.
 */
import { createHash } from 'node:crypto';
import type { Memory } from './layer/digest-cache.ts';
import { layerOf } from './plan/layer-of.ts';
import type { LayerReason } from './plan/layer-plan.ts';
import { type PlannedLayers, planLayers, type PlanOptions } from './plan/plan-layers.ts';
import type { Closure, PathInfo } from './store/store.ts';

/** Of all planners together: another one whenever any closure gets another plan. */
export const PLANS_VERSION = 1;

export interface PlanOnceOptions {
  readonly memory: Memory | undefined;
  /** Called before a plan is made: the image is new, and so is a layer of it. */
  readonly onMake?: (() => void) | undefined;
}

/** @throws as planLayers */
export function planOnce(
  closure: Closure,
  options: PlanOptions,
  { memory, onMake }: PlanOnceOptions,
): PlannedLayers {
  const make = (): PlannedLayers => {
    onMake?.();
    return planLayers(closure, options);
  };
  if (memory === undefined || isPlannedWithOthers(options)) return make();
  const key = keyOf(closure, options);
  const known = readPlan(memory.find(key), closure);
  if (known !== undefined) return known;
  const plan = make();
  const entry = entryOf(plan, closure);
  if (hasAll(entry, closure)) memory.add(key, JSON.stringify(entry));
  return plan;
}

/** Plans with paths that are in no layer are made again: they are rare, and their path infos are not the closure's. */
function isPlannedWithOthers({ layering }: PlanOptions): boolean {
  const virtual = 'virtualPaths' in layering ? (layering.virtualPaths ?? []) : [];
  return virtual.length > 0 || (layering.ignore ?? []).length > 0;
}

function keyOf(closure: Closure, options: PlanOptions): string {
  const paths = closure.paths.map(({ path, narSize, references, ca }) => [path, narSize, references, ca]);
  const asked = JSON.stringify([PLANS_VERSION, closure.storeDir, closure.roots, paths, options]);
  return createHash('sha256').update(asked).digest('hex');
}

interface Entry extends Omit<PlannedLayers, 'layers'> {
  readonly layers: readonly {
    /** Places in the closure. */
    readonly paths: readonly number[];
    readonly reason: LayerReason;
  }[];
}

function entryOf({ layers, ...rest }: PlannedLayers, closure: Closure): Entry {
  const places = new Map(closure.paths.map(({ path }, place) => [path, place]));
  return {
    ...rest,
    layers: layers.map(({ paths, reason }) => ({
      paths: paths.map(({ path }) => places.get(path) as number),
      reason,
    })),
  };
}

/** Whether each path of the closure is in one layer; a pipeline may drop some. */
function hasAll({ layers }: Entry, { paths }: Closure): boolean {
  const places = layers.flatMap((layer) => layer.paths);
  const distinct = new Set(places.filter((place) => paths[place] !== undefined));
  return places.length === paths.length && distinct.size === paths.length;
}

/** Undefined when it is no plan of this closure. */
function readPlan(text: string | undefined, closure: Closure): PlannedLayers | undefined {
  if (text === undefined) return undefined;
  const entry = JSON.parse(text) as Entry;
  if (!hasAll(entry, closure)) return undefined;
  const infosAt = (places: readonly number[]): PathInfo[] =>
    places.map((place) => closure.paths[place] as PathInfo);
  return { ...entry, layers: entry.layers.map(({ paths, reason }) => layerOf(infosAt(paths), reason)) };
}
