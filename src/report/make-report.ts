/** From what is known of an image, and of the one before, to what a report says. Pure. */
import { isJsonObject, type JsonObject } from '../image/json.ts';
import { closureSizes } from '../plan/closure-sizes.ts';
import { indexReferences, row } from '../plan/reference-graph.ts';
import { splitName } from '../plan/update-causes.ts';
import { compareImages, type SeenImage, type UpdateCost } from '../plan/update-cost.ts';
import type { Closure } from '../store/store.ts';
import type { ImageSummary } from '../transport/inspect-image.ts';
import type { LayerContents } from '../transport/layer-contents.ts';
import type { PathState, ReportLayer, ReportPath } from './page-data.ts';
import type { ImageFact, ReportData, ReportUpdate } from './report-data.ts';

export interface ImageParts {
  readonly seen: SeenImage & { readonly origin: string };
  /** Undefined of a plan. */
  readonly summary: ImageSummary | undefined;
  /** Of each layer; undefined where it was not read. */
  readonly contents: readonly (LayerContents | undefined)[];
  /** Of the image's store paths; undefined where no store knows them. */
  readonly closure: Closure | undefined;
}

export interface ReportParts extends ImageParts {
  readonly previous: (SeenImage & { readonly origin: string }) | undefined;
}

export function makeReport(parts: ReportParts): ReportData {
  const { seen, summary, closure, previous } = parts;
  const { sizes, measure } = measurePaths(parts);
  const cost =
    previous === undefined
      ? undefined
      : compareImages(previous, { ...seen, pathSizes: sizes }, { references: referencesIn(closure) });
  const paths = reportPaths(parts, { sizes, cost });
  const placeOf = new Map(paths.map(({ path }, place) => [path, place]));
  const [first] = placeOf.keys();
  return {
    title: summary?.names.join(', ') || seen.origin,
    facts: summary === undefined ? [] : factsOf(summary),
    storeDir: first === undefined ? '' : first.slice(0, first.lastIndexOf('/')),
    pathMeasure: measure,
    layerMeasure: seen.measure,
    hasReferences: closure !== undefined,
    isCompared: cost !== undefined,
    size: seen.layers.reduce((sum, { size }) => sum + size, 0),
    layers: reportLayers(parts, { sizes, cost, placeOf }),
    paths: withReferences(paths, { closure, placeOf }),
    update: cost === undefined || previous === undefined ? undefined : updateOf(cost, previous.origin),
  };
}

interface Measured {
  readonly sizes: ReadonlyMap<string, number>;
  readonly measure: ReportData['pathMeasure'];
}

/** One measure for all of them: NARs and tars differ by some per cent. */
function measurePaths({ seen, contents, closure }: ImageParts): Measured {
  if (closure !== undefined) {
    const sizes = new Map<string, number>(closure.paths.map(({ path, narSize }) => [path, narSize]));
    return { sizes, measure: 'nar' };
  }
  if (seen.pathSizes.size > 0) return { sizes: seen.pathSizes, measure: 'nar' };
  const sizes = new Map(contents.flatMap((content) => [...(content?.pathSizes ?? [])]));
  return { sizes, measure: sizes.size === 0 ? undefined : 'tar' };
}

function referencesIn(closure: Closure | undefined): ReadonlyMap<string, readonly string[]> | undefined {
  return closure && new Map(closure.paths.map(({ path, references }) => [path, references]));
}

type PlacedPath = Pick<ReportPath, 'name' | 'size' | 'layer' | 'state'> & { readonly path: string };

interface Comparing {
  readonly sizes: ReadonlyMap<string, number>;
  readonly cost: UpdateCost | undefined;
}

function reportPaths({ seen, previous }: ReportParts, { sizes, cost }: Comparing): readonly PlacedPath[] {
  const placed = new Map<string, PlacedPath>();
  const stateOf = pathStates(previous, cost);
  for (const [layer, { paths }] of seen.layers.entries()) {
    for (const path of paths) {
      if (placed.has(path)) continue;
      const name = path.slice(path.lastIndexOf('/') + 1);
      placed.set(path, { path, name, size: sizes.get(path), layer, state: stateOf(path, layer) });
    }
  }
  return [...placed.values()];
}

function pathStates(
  previous: SeenImage | undefined,
  cost: UpdateCost | undefined,
): (path: string, layer: number) => PathState | undefined {
  if (previous === undefined || cost?.why === undefined) return () => undefined;
  const oldPaths = new Set(previous.layers.flatMap(({ paths }) => paths));
  const oldNames = new Set(Array.from(oldPaths, (path) => splitName(path).name));
  return (path, layer) => {
    if (!oldPaths.has(path)) return oldNames.has(splitName(path).name) ? 'changed' : 'new';
    return cost.layers[layer]?.state === 'kept' ? 'kept' : 'resent';
  };
}

function reportLayers(
  { seen, contents }: ReportParts,
  { sizes, cost, placeOf }: Comparing & { readonly placeOf: ReadonlyMap<string, number> },
): readonly ReportLayer[] {
  return seen.layers.map(({ kind, label, digest, diffID, size, paths }, at) => {
    const change = cost?.layers[at];
    const ofPaths = paths.map((path) => sizes.get(path));
    const tarSize = contents[at]?.tarSize;
    return {
      kind,
      label,
      digest,
      diffID,
      size,
      area: kind === 'store' ? (sumOf(ofPaths) ?? size) : (tarSize ?? size),
      paths: paths.map((path) => placeOf.get(path) as number),
      state: change?.state === 'gone' ? undefined : change?.state,
      previousPlace: change?.previousPlace,
    };
  });
}

/** Undefined where one of them is not known. */
function sumOf(sizes: readonly (number | undefined)[]): number | undefined {
  return sizes.reduce<number | undefined>(
    (sum, size) => (sum === undefined || size === undefined ? undefined : sum + size),
    0,
  );
}

/** References to paths that the image does not have are left out: a closure has none such. */
function withReferences(
  paths: readonly PlacedPath[],
  {
    closure,
    placeOf,
  }: { readonly closure: Closure | undefined; readonly placeOf: ReadonlyMap<string, number> },
): readonly ReportPath[] {
  const unknown = { references: undefined, closureSize: undefined, closurePaths: undefined };
  if (closure === undefined) return paths.map(({ path: _, ...rest }) => ({ ...rest, ...unknown }));
  const graph = indexReferences(closure.paths);
  const sizes = closureSizes(graph);
  return paths.map(({ path, ...rest }) => {
    const id = graph.idOf.get(path as never) as number;
    const targets = Array.from(row(graph.references, id), (target) => placeOf.get(graph.infos[target]!.path));
    const references = targets.filter((place) => place !== undefined).sort((a, b) => a - b);
    const { narSize, paths: count } = sizes[id]!;
    return { ...rest, references, closureSize: narSize, closurePaths: count };
  });
}

function updateOf({ layers, why, ...cost }: UpdateCost, from: string): ReportUpdate {
  return { from, cost, why, gone: layers.filter(({ state }) => state === 'gone') };
}

function factsOf({ imageID, manifestDigest, platform, created, config }: ImageSummary): readonly ImageFact[] {
  const { os, architecture, variant } = platform;
  const facts: readonly (readonly [string, string | undefined])[] = [
    ['Platform', [os, architecture, variant].filter((part) => part !== undefined).join('/')],
    ['Created', created],
    ['Entrypoint', wordsOf(config['Entrypoint'])],
    ['Cmd', wordsOf(config['Cmd'])],
    ['User', wordsOf(config['User'])],
    ['Working directory', wordsOf(config['WorkingDir'])],
    [
      'Ports',
      isJsonObject(config['ExposedPorts']) ? Object.keys(config['ExposedPorts']).join(', ') : undefined,
    ],
    ['Image ID', imageID],
    ['Manifest', manifestDigest],
  ];
  return facts.flatMap(([name, value]) => (value === undefined || value === '' ? [] : [{ name, value }]));
}

function wordsOf(value: JsonObject[string] | undefined): string | undefined {
  if (Array.isArray(value))
    return value.map((word) => (typeof word === 'string' ? word : JSON.stringify(word))).join(' ');
  return typeof value === 'string' ? value : undefined;
}
