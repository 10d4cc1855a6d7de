/**
 * What each operation of a pipeline does to a value.
 *
 * @see spec "Dividing a closure into layers", Pipelines; nixpkgs' flatten-references-graph
 */
import { type Operation, pipelineError, type SplitSpec } from './pipeline-syntax.ts';
import {
  cutReferences,
  type DictionaryValue,
  type GraphValue,
  idsOf,
  keepIds,
  type ListValue,
  mergeGraphs,
  onePathGraph,
  type PipelineValue,
  walkable,
} from './pipeline-values.ts';
import { popularityOrder } from './popularity.ts';
import { reachable, type ReferenceGraph, row } from './reference-graph.ts';

export interface PipelineContext {
  readonly closure: ReferenceGraph;
  /** Taken note of: what a person should know. */
  readonly warnings: Set<string>;
}

/** @throws PhylloError PIPELINE_INVALID where an operation is given what it cannot work on */
export function applyOperations(
  operations: readonly Operation[],
  value: PipelineValue,
  context: PipelineContext,
): PipelineValue {
  return operations.reduce((current, operation) => applyOperation(operation, current, context), value);
}

function applyOperation(operation: Operation, value: PipelineValue, context: PipelineContext): PipelineValue {
  switch (operation.name) {
    case 'popularity_contest':
      return contest(asGraph(value, operation), context);
    case 'split_every':
      return splitEvery(operation.count, asGraph(value, operation));
    case 'subcomponent_out':
      return subcomponent('references', { operation, graph: asGraph(value, operation), context });
    case 'subcomponent_in':
      return subcomponent('referrers', { operation, graph: asGraph(value, operation), context });
    case 'remove_paths':
      return removePaths(operation, asGraph(value, operation), context);
    case 'split_paths':
      return splitPaths(operation, asGraph(value, operation), context);
    case 'limit_layers':
      return limitLayers(operation, asList(value, operation));
    case 'reverse':
      return listOf([...asList(value, operation).items].reverse());
    case 'map':
      return listOf(
        asList(value, operation).items.map((item) => applyOperation(operation.operation, item, context)),
      );
    case 'flatten':
      return flatten(operation, value);
    case 'over':
      return over(operation, value, context);
    case 'pipe':
      return applyOperations(operation.operations, value, context);
    default:
      return operation satisfies never;
  }
}

/** All graphs of a value from left to right, dictionaries in their order. */
export function graphsOf(value: PipelineValue): readonly GraphValue[] {
  switch (value.kind) {
    case 'graph':
      return [value];
    case 'list':
      return value.items.flatMap(graphsOf);
    case 'dictionary':
      return [...value.entries.values()].flatMap(graphsOf);
    default:
      return value satisfies never;
  }
}

function contest(value: GraphValue, { closure }: PipelineContext): ListValue {
  const { graph, closureIds } = walkable(value, closure);
  return listOf(popularityOrder(graph).map((id) => onePathGraph(closureIds[id]!, value.branch)));
}

function splitEvery(count: number, graph: GraphValue): ListValue {
  const ids = idsOf(graph);
  const starts = Array.from({ length: Math.ceil(ids.length / count) }, (_, index) => index * count);
  const chunkOf = new Map(ids.map((id, place) => [id, Math.floor(place / count)]));
  // A graph is one piece unless it was merged: cutting the pieces once, not once for each chunk.
  const chunks: GraphValue['pieces'][number][][] = starts.map(() => []);
  for (const { ids, cut } of graph.pieces) {
    for (const [chunk, members] of Map.groupBy(ids, (id) => chunkOf.get(id)!))
      chunks[chunk]!.push({ ids: members, cut });
  }
  return listOf(chunks.map((pieces) => ({ kind: 'graph', pieces, branch: graph.branch })));
}

function subcomponent(
  direction: 'references' | 'referrers',
  given: {
    readonly operation: Extract<Operation, { paths: readonly string[] }>;
    readonly graph: GraphValue;
    readonly context: PipelineContext;
  },
): DictionaryValue {
  const { operation, graph: value, context } = given;
  const { graph, closureIds } = walkable(value, context.closure);
  const seeds = findPaths(operation.paths, graph, { at: operation.at, context });
  const found = closureIdsWhere(reachable(graph[direction], seeds), closureIds);
  return dictionaryOf([
    ['main', keepIds(value, (id) => found.has(id), branchBelow(value, 'main'))],
    ['rest', keepIds(value, (id) => !found.has(id), branchBelow(value, 'rest'))],
  ]);
}

function removePaths(
  { paths, at }: Extract<Operation, { name: 'subcomponent_out' | 'subcomponent_in' | 'remove_paths' }>,
  graph: GraphValue,
  context: PipelineContext,
): GraphValue {
  const removed = new Set(paths.flatMap((path) => closureIdOf(path, { at, context })));
  return keepIds(graph, (id) => !removed.has(id));
}

/**
 * main: what only the split paths lead to; common: what they and others lead to; rest: what they do not lead to.
 * References to split paths are cut first, so that a split path is in main whoever refers to it.
 */
function splitPaths(
  { specs, at }: Extract<Operation, { name: 'split_paths' }>,
  value: GraphValue,
  context: PipelineContext,
): DictionaryValue {
  const { graph, closureIds } = walkable(value, context.closure);
  const split = specs.flatMap((spec) => findSpec(spec, graph, { at, context }));
  const branches = (key: string): string => branchBelow(value, key);
  if (split.length === 0) return partsOf([['rest', keepIds(value, () => true, branches('rest'))]]);
  // With its only root split off, nothing is left to lead anywhere else; the references stay as they are.
  const roots = rootsOf(graph);
  if (roots.length === 1 && split.includes(roots[0]!)) {
    return partsOf([['main', keepIds(value, () => true, branches('main'))]]);
  }
  const cut = cutReferences(
    value,
    split.map((id) => closureIds[id]!),
  );
  const others = roots.filter((root) => !split.includes(root));
  const fromSplit = closureIdsWhere(reachable(graph.references, split), closureIds);
  const fromOthers = closureIdsWhere(
    reachable(walkable(cut, context.closure).graph.references, others),
    closureIds,
  );
  return partsOf([
    ['main', keepIds(cut, (id) => fromSplit.has(id) && !fromOthers.has(id), branches('main'))],
    ['common', keepIds(cut, (id) => fromSplit.has(id) && fromOthers.has(id), branches('common'))],
    ['rest', keepIds(cut, (id) => !fromSplit.has(id), branches('rest'))],
  ]);
}

function rootsOf({ infos, referrers }: ReferenceGraph): readonly number[] {
  return Array.from(infos.keys()).filter((id) => referrers.starts[id] === referrers.starts[id + 1]);
}

function findSpec(
  { kind, paths }: SplitSpec,
  graph: ReferenceGraph,
  place: { readonly at: string; readonly context: PipelineContext },
): readonly number[] {
  const ids = findPaths(paths, graph, place);
  return kind === 'paths' ? ids : ids.flatMap((id) => Array.from(row(graph.references, id)));
}

function limitLayers(operation: Extract<Operation, { count: number }>, { items }: ListValue): ListValue {
  const { count } = operation;
  if (items.length <= count) return listOf(items);
  const rest = items.slice(count - 1).map((item) => asGraph(item, operation));
  return listOf([...items.slice(0, count - 1), mergeGraphs(rest)]);
}

function flatten(operation: Operation, value: PipelineValue): ListValue {
  if (value.kind === 'graph') throw wrongValue(operation, value, 'a list or a dictionary');
  return listOf(graphsOf(value));
}

function over(
  operation: Extract<Operation, { name: 'over' }>,
  value: PipelineValue,
  context: PipelineContext,
): PipelineValue {
  if (value.kind !== 'dictionary') throw wrongValue(operation, value, 'a dictionary');
  const { at, key } = operation;
  const part = value.entries.get(key);
  if (part !== undefined) {
    const entries = new Map(value.entries).set(key, applyOperation(operation.operation, part, context));
    return { ...value, entries };
  }
  const keys = [...new Set([...value.entries.keys(), ...value.optionalKeys])];
  if (!value.optionalKeys.includes(key)) {
    throw pipelineError([`${at}: found no key ${JSON.stringify(key)}, wanted one of ${keys.join(', ')}`]);
  }
  context.warnings.add(`${at}: there is nothing in ${JSON.stringify(key)}`);
  return value;
}

function asGraph(value: PipelineValue, operation: Operation): GraphValue {
  if (value.kind === 'graph') return value;
  throw wrongValue(operation, value, operation.name === 'limit_layers' ? 'a list of graphs' : 'a graph');
}

function asList(value: PipelineValue, operation: Operation): ListValue {
  if (value.kind === 'list') return value;
  throw wrongValue(operation, value, 'a list');
}

function wrongValue({ at }: Operation, value: PipelineValue, wanted: string): Error {
  const found =
    value.kind === 'dictionary'
      ? `a dictionary of ${[...value.entries.keys()].join(', ')}`
      : `a ${value.kind}`;
  return pipelineError([`${at}: found ${found}, wanted ${wanted}`]);
}

/** The ids in `graph` of those paths that it has. Only a path that no graph of the pipeline has is worth a warning. */
function findPaths(
  paths: readonly string[],
  graph: ReferenceGraph,
  place: { readonly at: string; readonly context: PipelineContext },
): readonly number[] {
  const closureIds = paths.flatMap((path) => closureIdOf(path, place));
  return closureIds.flatMap((id) => graph.idOf.get(place.context.closure.infos[id]!.path) ?? []);
}

function closureIdOf(
  path: string,
  { at, context }: { readonly at: string; readonly context: PipelineContext },
): readonly number[] {
  const idOf: ReadonlyMap<string, number> = context.closure.idOf;
  const id = idOf.get(path);
  if (id !== undefined) return [id];
  context.warnings.add(`${at}: ${path} is not among the store paths to divide`);
  return [];
}

function closureIdsWhere(found: Uint8Array, closureIds: readonly number[]): ReadonlySet<number> {
  return new Set(closureIds.filter((_, id) => found[id] === 1));
}

function branchBelow({ branch }: GraphValue, key: string): string {
  return branch === '' ? key : `${branch}.${key}`;
}

function listOf(items: readonly PipelineValue[]): ListValue {
  return { kind: 'list', items };
}

function dictionaryOf(entries: readonly (readonly [string, GraphValue])[]): DictionaryValue {
  return { kind: 'dictionary', entries: new Map(entries), optionalKeys: [] };
}

/** Without the empty ones. */
function partsOf(entries: readonly (readonly [string, GraphValue])[]): DictionaryValue {
  const filled = entries.filter(([, { pieces }]) => pieces.length > 0);
  return { ...dictionaryOf(filled), optionalKeys: ['main', 'common', 'rest'] };
}
