/**
 * Layers that the user wrote: they come first, and the automatic division has what is left.
 *
 * A list of store paths takes them and their closures, as nix2container's `buildLayer { deps = … }` does;
 * `{"paths": […], "closure": false}` takes them alone. A path that a list names is in that list's layer, whatever other
 * closure it is in; a path that nobody names is in the first layer whose closure has it.
 */
import { PhylloError } from '../errors.ts';
import { layerOf } from './layer-of.ts';
import type { LayerPlan } from './layer-plan.ts';
import { reachable, type ReferenceGraph } from './reference-graph.ts';

/** One layer: store paths with their closures, or with `closure: false` without. */
export type ExplicitLayer =
  readonly string[] | { readonly paths: readonly string[]; readonly closure?: boolean };

export interface ExplicitPlan {
  /** One for each list, in its order; paths ascending. */
  readonly layers: readonly LayerPlan[];
  /** The ids that no list took, ascending. */
  readonly rest: readonly number[];
}

interface NamedLayer {
  readonly ids: readonly number[];
  readonly withClosure: boolean;
}

const NOBODY = -1;

/** @throws PhylloError LAYERING_INVALID: an unknown path, a path in two lists, an empty list; all that is wrong at once */
export function planExplicit(graph: ReferenceGraph, lists: readonly ExplicitLayer[]): ExplicitPlan {
  const problems: string[] = [];
  const layerOfId = new Int32Array(graph.infos.length).fill(NOBODY);
  const named = lists.map((list, index) => nameLayer(graph, list, { index, layerOfId, problems }));
  if (problems.length > 0) throw invalidLists(problems);
  for (const [index, layer] of named.entries()) takeClosure(graph, layer, { index, layerOfId });
  const members = Map.groupBy(layerOfId.keys(), (id) => layerOfId[id]!);
  const layers = named.map((_, index) => {
    const paths = (members.get(index) ?? []).map((id) => graph.infos[id]!);
    return layerOf(paths, { kind: 'explicit', index });
  });
  return { layers, rest: members.get(NOBODY) ?? [] };
}

function nameLayer(
  graph: ReferenceGraph,
  list: ExplicitLayer,
  context: { readonly index: number; readonly layerOfId: Int32Array; readonly problems: string[] },
): NamedLayer {
  const { index, layerOfId, problems } = context;
  const { paths, closure = true } = 'paths' in list ? list : { paths: list };
  if (paths.length === 0) problems.push(`layers[${index}]: found no store path, wanted at least one`);
  const idOf: ReadonlyMap<string, number> = graph.idOf;
  const ids = [...new Set(paths)].flatMap((path) => {
    const id = idOf.get(path);
    if (id === undefined) {
      problems.push(`layers[${index}]: ${path} is not in the closure`);
      return [];
    }
    if (layerOfId[id] !== NOBODY)
      problems.push(`layers[${index}]: ${path} is in layers[${layerOfId[id]}] too`);
    layerOfId[id] = index;
    return [id];
  });
  return { ids, withClosure: closure };
}

function takeClosure(
  graph: ReferenceGraph,
  { ids, withClosure }: NamedLayer,
  { index, layerOfId }: { readonly index: number; readonly layerOfId: Int32Array },
): void {
  if (!withClosure) return;
  const found = reachable(graph.references, ids);
  for (const [id, layer] of layerOfId.entries()) {
    if (layer === NOBODY && found[id] === 1) layerOfId[id] = index;
  }
}

function invalidLists(problems: readonly string[]): PhylloError {
  const details = problems.length === 1 ? problems[0] : `\n  ${problems.join('\n  ')}`;
  return new PhylloError('LAYERING_INVALID', `the explicit layers are wrong: ${details}`, {
    hint: 'give each store path of the closure in at most one list of layers',
  });
}
