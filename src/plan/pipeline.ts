/**
 * The strategy of one's own: a pipeline of operations that divide, order, merge and limit.
 *
 * Steps: parse the whole pipeline (`pipeline-syntax.ts`), apply its operations from left to right to the whole closure
 * (`pipeline-operations.ts`), flatten the result: each graph that is not empty is a layer, its paths in the graph's order.
 *
 * Where the reference program fails by accident, this does what its user meant: a pipeline may end in a bare graph
 * (one layer), the closure may be empty, a limit that is not reached changes nothing, and `over` a part of `split_paths` that
 * came out empty does nothing.
 *
 * Cost: a walk along the references for each operation that needs one; moving paths about is linear in their number.
 *
 * Prior art: nixpkgs' flatten-references-graph (2024), whose operations these are.
 */
import { layerOf } from './layer-of.ts';
import type { LayerPlan } from './layer-plan.ts';
import { applyOperations, graphsOf } from './pipeline-operations.ts';
import { parsePipeline } from './pipeline-syntax.ts';
import { type GraphValue, idsOf, wholeGraph } from './pipeline-values.ts';
import type { ReferenceGraph } from './reference-graph.ts';

export interface PipelinePlan {
  readonly layers: readonly LayerPlan[];
  /** Paths that the closure lacks, and paths that are in no layer. */
  readonly warnings: readonly string[];
}

export interface PipelineOptions {
  /** Every id once: the order of the first graph; default: narSize ascending, then path. */
  readonly order?: readonly number[];
}

/**
 * @param pipeline any JSON value
 * @throws PhylloError PIPELINE_INVALID, naming the position, what was found and what is allowed
 */
export function planPipeline(
  graph: ReferenceGraph,
  pipeline: unknown,
  options: PipelineOptions = {},
): PipelinePlan {
  const operations = parsePipeline(pipeline);
  const warnings = new Set<string>();
  const result = applyOperations(operations, wholeGraph(options.order ?? smallestFirst(graph)), {
    closure: graph,
    warnings,
  });
  const layers = graphsOf(result).flatMap((value) => planGraph(value, graph));
  const planned = layers.reduce((count, { paths }) => count + paths.length, 0);
  if (planned < graph.infos.length) warnings.add(describeLeftOut(graph.infos.length - planned));
  return { layers, warnings: [...warnings] };
}

function smallestFirst({ infos }: ReferenceGraph): readonly number[] {
  return Array.from(infos.keys()).sort((a, b) => infos[a]!.narSize - infos[b]!.narSize || a - b);
}

function planGraph(value: GraphValue, { infos }: ReferenceGraph): readonly LayerPlan[] {
  const paths = idsOf(value).map((id) => infos[id]!);
  return paths.length === 0 ? [] : [layerOf(paths, { kind: 'pipeline', branch: value.branch })];
}

function describeLeftOut(count: number): string {
  const paths = count === 1 ? '1 store path' : `${count} store paths`;
  return `the pipeline leaves ${paths} of the closure out of the image`;
}
