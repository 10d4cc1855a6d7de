/**
 * What flows through a pipeline: a graph, or nested lists and dictionaries of graphs.
 *
 * A graph here is a list of *pieces*. References count within a piece only: merging graphs joins their paths, not their
 * references, as the reference program does. A piece has its paths as ids of the closure's graph, so that an operation which
 * only moves paths about costs no more than their number; a graph is made of it where an operation walks along references.
 */
import { inducedGraph, type ReferenceGraph } from './reference-graph.ts';

export type PipelineValue = GraphValue | ListValue | DictionaryValue;

export interface GraphValue {
  readonly kind: 'graph';
  readonly pieces: readonly Piece[];
  /** The dictionary keys that led here: `main.rest`. */
  readonly branch: string;
}

export interface ListValue {
  readonly kind: 'list';
  readonly items: readonly PipelineValue[];
}

export interface DictionaryValue {
  readonly kind: 'dictionary';
  /** In order. */
  readonly entries: ReadonlyMap<string, PipelineValue>;
  /** Keys that the operation leaves out where there is nothing for them. */
  readonly optionalKeys: readonly string[];
}

export interface Piece {
  /** Of the closure's graph; the order is the order of the paths. */
  readonly ids: readonly number[];
  /** References to these do not count. */
  readonly cut: ReadonlySet<number>;
}

const UNCUT: ReadonlySet<number> = new Set();

/** @param ids all of the closure's graph, in order */
export function wholeGraph(ids: readonly number[]): GraphValue {
  return graphOf([{ ids, cut: UNCUT }], '');
}

export function graphOf(pieces: readonly Piece[], branch: string): GraphValue {
  return { kind: 'graph', pieces, branch };
}

export function onePathGraph(id: number, branch: string): GraphValue {
  return graphOf([{ ids: [id], cut: UNCUT }], branch);
}

export function idsOf({ pieces }: GraphValue): readonly number[] {
  return pieces.flatMap(({ ids }) => ids);
}

/** The same graph with only the paths that are kept, their order unchanged. */
export function keepIds(
  graph: GraphValue,
  keeps: (id: number) => boolean,
  branch = graph.branch,
): GraphValue {
  const pieces = graph.pieces.map(({ ids, cut }) => ({ ids: ids.filter(keeps), cut }));
  return graphOf(
    pieces.filter(({ ids }) => ids.length > 0),
    branch,
  );
}

/** The same graph without the references to some paths. */
export function cutReferences(graph: GraphValue, targets: Iterable<number>): GraphValue {
  const more = new Set(targets);
  const pieces = graph.pieces.map(({ ids, cut }) => ({ ids, cut: cut.union(more) }));
  return graphOf(pieces, graph.branch);
}

/** One after the other, without references from one to another. */
export function mergeGraphs(graphs: readonly GraphValue[]): GraphValue {
  const branches = new Set(graphs.map(({ branch }) => branch));
  return graphOf(
    graphs.flatMap(({ pieces }) => pieces),
    [...branches].filter((branch) => branch !== '').join(' + '),
  );
}

/** A graph to walk along. Its ids are places in `closureIds`, which has the ids of the closure's graph, ascending. */
export function walkable(
  graph: GraphValue,
  closure: ReferenceGraph,
): { readonly graph: ReferenceGraph; readonly closureIds: readonly number[] } {
  const closureIds = [...idsOf(graph)].sort((a, b) => a - b);
  const pieceOf = new Map(graph.pieces.flatMap((piece) => piece.ids.map((id) => [id, piece] as const)));
  const counts = (source: number, target: number): boolean => {
    const piece = pieceOf.get(source)!;
    return piece === pieceOf.get(target) && !piece.cut.has(target);
  };
  return { graph: inducedGraph(closure, closureIds, counts), closureIds };
}
