/** From a closure to its store layers: the one entry point of `plan/`. Pure. */
import { PhylloError } from '../errors.ts';
import type { Closure, PathInfo } from '../store/store.ts';
import type { StorePath } from '../store/store-path.ts';
import { planAuto } from './auto.ts';
import { type ExplicitLayer, planExplicit } from './explicit-layers.ts';
import { checkLayerCount, type LayerBudget, storeLayerBudget } from './layer-budget.ts';
import type { LayerPlan } from './layer-plan.ts';
import { joinSmallLayers } from './min-layer-size.ts';
import { planPipeline } from './pipeline.ts';
import { planPopularity } from './popularity.ts';
import { indexReferences, inducedGraph, type ReferenceGraph, withoutPaths } from './reference-graph.ts';
import type { ChangeRecord } from './change-record.ts';
import { planSteady, type PreviousLayers } from './steady.ts';

/** How paths are divided. */
export type Layering = BuiltInLayering | SteadyLayering | PipelineLayering;

export interface BuiltInLayering {
  readonly kind: 'popularity' | 'auto';
  /** Store paths of the closure that take part in the division and are then dropped: they are in no layer. */
  readonly ignore?: readonly StorePath[];
  /**
   * Paths that the closure lacks, take part in the division, and are in no layer. With nixpkgs' helper paths (the config file and the
   * customisation layer, with their sizes and references) the layers are those of nixpkgs.
   */
  readonly virtualPaths?: readonly PathInfo[];
}

export interface SteadyLayering {
  readonly kind: 'steady';
  /** The image before: its layers are kept where they can be. */
  readonly previous?: PreviousLayers;
  /** Store paths that are dropped before the division, and references to them: they are in no layer. */
  readonly ignore?: readonly StorePath[];
}

export interface PipelineLayering {
  readonly kind: 'pipeline';
  /** Any JSON value. */
  readonly pipeline: unknown;
  /** Store paths that are dropped before the division, and references to them: they are in no layer. */
  readonly ignore?: readonly StorePath[];
}

export interface PlanOptions extends LayerBudget {
  readonly layering: Layering;
  /** Come first, and are left out of the division. */
  readonly explicitLayers?: readonly ExplicitLayer[];
  /** Bytes of narSize; smaller layers of the division are joined. Default 0: off. */
  readonly minLayerSize?: number;
}

export interface PlannedLayers {
  /** Lowest first; every path of the closure in exactly one, unless the layering drops it. */
  readonly layers: readonly LayerPlan[];
  /** What a person should know and no program needs to: one sentence each. */
  readonly warnings: readonly string[];
  /** Of `steady`: what the next image's plan should know of this one's past. */
  readonly changes?: ChangeRecord;
}

/**
 * An empty closure has no store layers.
 * @throws PhylloError BUDGET_TOO_SMALL, TOO_MANY_LAYERS, LAYERING_INVALID, PIPELINE_INVALID, CLOSURE_INCOMPLETE,
 * CLOSURE_CYCLE, GRAPH_INVALID
 */
export function planLayers(closure: Closure, options: PlanOptions): PlannedLayers {
  const budget = storeLayerBudget(options);
  const graph = indexReferences(pathsToDivide(closure, options.layering));
  const explicit = planExplicit(graph, options.explicitLayers ?? []);
  const rest = explicit.layers.length === 0 ? graph : inducedGraph(graph, explicit.rest);
  const layering = withoutExplicit(options.layering, explicit.layers);
  const divided = divide(rest, layering, budget - explicit.layers.length);
  const layers = [...explicit.layers, ...joinSmallLayers(divided.layers, options.minLayerSize ?? 0)];
  checkBudget(layers.length, { ...options, explicitLayers: explicit.layers.length });
  const countWarning = checkLayerCount(options.baseLayers + layers.length + 1);
  return {
    ...divided,
    layers,
    warnings: countWarning === undefined ? divided.warnings : [...divided.warnings, countWarning],
  };
}

function pathsToDivide({ paths }: Closure, layering: Layering): readonly PathInfo[] {
  if (layering.kind === 'pipeline' || layering.kind === 'steady') {
    return withoutPaths(paths, new Set(layering.ignore));
  }
  return [...paths, ...(layering.virtualPaths ?? [])];
}

/** The previous image's explicit layers are not the division's to keep. */
function withoutExplicit(layering: Layering, explicit: readonly LayerPlan[]): Layering {
  if (layering.kind !== 'steady' || layering.previous === undefined || explicit.length === 0) return layering;
  const given = new Set<string>(explicit.flatMap(({ paths }) => paths.map(({ path }) => path)));
  const layers = layering.previous.layers.filter((paths) => !paths.every((path) => given.has(path)));
  return { ...layering, previous: { ...layering.previous, layers } };
}

/** @param storeLayers what the budget leaves; a strategy that cannot keep to it is found out afterwards */
function divide(graph: ReferenceGraph, layering: Layering, storeLayers: number): PlannedLayers {
  if (layering.kind === 'pipeline') return planPipeline(graph, layering.pipeline);
  if (layering.kind === 'steady') {
    const limit = Math.max(storeLayers, 1);
    const { previous } = layering;
    const plan = planSteady(graph, previous === undefined ? { limit } : { limit, previous });
    return { ...plan, warnings: [] };
  }
  const ignore = [...(layering.ignore ?? []), ...(layering.virtualPaths ?? []).map(({ path }) => path)];
  const limit = Math.max(storeLayers, 1);
  const layers =
    layering.kind === 'auto' ? planAuto(graph, { limit, ignore }) : planPopularity(graph, { limit, ignore });
  return { layers, warnings: [] };
}

function checkBudget(
  found: number,
  { maxLayers, baseLayers, explicitLayers }: LayerBudget & { readonly explicitLayers: number },
): void {
  const budget = maxLayers - baseLayers - 1;
  if (found <= budget) return;
  const given = explicitLayers === 0 ? '' : `, ${explicitLayers} of them explicit`;
  throw new PhylloError(
    'BUDGET_TOO_SMALL',
    `the plan has ${found} store layers${given}, and maxLayers ${maxLayers} leaves ${budget}: it counts ${baseLayers} of the base image and 1 customisation layer`,
    { hint: `set maxLayers to ${found + baseLayers + 1} or more, or divide into fewer layers` },
  );
}
