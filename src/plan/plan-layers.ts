/** From a closure to its store layers: the one entry point of `plan/`. Pure. */
import type { Closure } from '../store/store.ts';
import { type LayerBudget, storeLayerBudget } from './layer-budget.ts';
import type { LayerPlan } from './layer-plan.ts';
import { planPopularity } from './popularity.ts';
import { indexReferences } from './reference-graph.ts';

/** How paths are divided. */
export type Layering = { readonly kind: 'popularity' };

export interface PlanOptions extends LayerBudget {
  readonly layering: Layering;
}

export interface PlannedLayers {
  /** Lowest first; every path of the closure in exactly one. */
  readonly layers: readonly LayerPlan[];
  /** What a person should know and no program needs to: one sentence each. */
  readonly warnings: readonly string[];
}

/**
 * An empty closure has no store layers.
 * @throws PhylloError BUDGET_TOO_SMALL, LAYERING_INVALID, CLOSURE_INCOMPLETE, CLOSURE_CYCLE
 */
export function planLayers(closure: Closure, options: PlanOptions): PlannedLayers {
  const storeLayers = storeLayerBudget(options);
  const graph = indexReferences(closure.paths);
  return { layers: planPopularity(graph, storeLayers), warnings: [] };
}
