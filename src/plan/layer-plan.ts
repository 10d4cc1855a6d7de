/** What a planner makes: store paths chosen for each layer, before any byte exists. Pure data. */
import type { PathInfo } from '../store/store.ts';
import type { StorePath } from '../store/store-path.ts';

/** One store layer. */
export interface LayerPlan {
  /** Not empty; the order is the order in the layer's tar. */
  readonly paths: readonly PathInfo[];
  /** Sum of the paths' narSize in bytes. */
  readonly narSize: number;
  readonly reason: LayerReason;
}

/** Why a layer exists; `describeReason` puts it into a line. */
export type LayerReason =
  /** The path has the layer to itself. `popularity` is a decimal string, exact at any size. */
  | { readonly kind: 'popular'; readonly popularity: string }
  /** What was left when the budget ran out. */
  | { readonly kind: 'rest' }
  /** The (large) paths that all need every path of the layer; empty: nothing large does. */
  | { readonly kind: 'shared'; readonly users: readonly StorePath[] }
  /** The place in a pipeline's result: `main`, `rest.common`. */
  | { readonly kind: 'pipeline'; readonly branch: string }
  /** A list that the user gave; `index` counts from 0. */
  | { readonly kind: 'explicit'; readonly index: number }
  /** Changes no more often than its largest path does, as far as names and references tell. */
  | { readonly kind: 'steady'; readonly around: StorePath }
  /** Paths that nothing refers to: they change with every release. */
  | { readonly kind: 'root' }
  /** As the previous image has it; `place` counts its store layers from 0. */
  | { readonly kind: 'kept'; readonly place: number }
  /** Neighbours below `minLayerSize`, in their order; none of them is itself `joined`. */
  | { readonly kind: 'joined'; readonly reasons: readonly LayerReason[] };
