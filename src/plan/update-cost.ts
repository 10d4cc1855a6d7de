/**
 * What an update costs the clients of an image: what they pull, and what they unpack again. Pure.
 *
 * Definitions
 *   same       layers with the same stored bytes. Where one of two is a file's uncompressed layer, or a plan's that has no bytes yet, what
 *              is in them decides: a registry gets them compressed alike.
 *   pull       bytes of the new image's layers that the old one does not have, each blob once
 *   unpack     bytes of the layers from the first one that differs upward: hosts keep unpacked layers by what lies below them
 *   bound      bytes of the new store paths alone, as narSizes: less cannot be sent as whole store paths
 *
 * A plan does not know a customisation layer that is more than links: it counts as `unknown`, with the bytes that are known of it.
 */
import { type CausesOptions, findCauses, splitName, type UpdateCauses } from './update-causes.ts';

/** An image as clients see it, or a plan of one. */
export interface SeenImage {
  /** Bottom to top. */
  readonly layers: readonly SeenLayer[];
  /** narSize of store paths, as far as it is known. */
  readonly pathSizes: ReadonlyMap<string, number>;
  /** What the layers' sizes are: of blobs as they are stored, of tars, or sums of narSizes. */
  readonly measure: 'stored' | 'tar' | 'nar';
}

export interface SeenLayer {
  readonly kind: 'store' | 'customisation' | 'other';
  /** Of the tar; undefined in a plan. */
  readonly diffID: string | undefined;
  /** As stored; undefined in a plan. */
  readonly digest: string | undefined;
  /** Bytes as stored, or as planned. */
  readonly size: number;
  /** In the order of the tar. */
  readonly paths: readonly string[];
  /** One line for people. */
  readonly label: string;
}

export interface UpdateCost {
  /** What `pull`, `unpack`, `size` and the layers' sizes are, except of layers that are gone. */
  readonly measure: SeenImage['measure'];
  /** Bytes. */
  readonly pull: number;
  /** Layers that are pulled. */
  readonly pulledLayers: number;
  /** Bytes. */
  readonly unpack: number;
  /** Of the new image, from 1; undefined where none differs. */
  readonly firstChangedLayer: number | undefined;
  /** Bytes; undefined where some new path's size is not known. */
  readonly bound: number | undefined;
  /** Bytes of all layers of the new image. */
  readonly size: number;
  /** The new image's, bottom to top, then those that are gone. */
  readonly layers: readonly LayerChange[];
  /** Undefined where neither image tells of store paths. */
  readonly why: UpdateCauses | undefined;
}

export interface LayerChange {
  readonly state: 'kept' | 'changed' | 'new' | 'gone' | 'unknown';
  readonly kind: SeenLayer['kind'];
  /** In the new image, from 1; undefined where it is gone. */
  readonly place: number | undefined;
  /** In the old image, from 1: the same layer, or the one that it takes the place of. */
  readonly previousPlace: number | undefined;
  readonly size: number;
  readonly paths: number;
  /** Of them, those that the old image has not. */
  readonly newPaths: number;
  readonly label: string;
}

export type CompareOptions = Partial<CausesOptions>;

export function compareImages(
  old: SeenImage,
  fresh: SeenImage,
  { references }: CompareOptions = {},
): UpdateCost {
  const oldPaths = new Set(old.layers.flatMap(({ paths }) => paths));
  const newPaths = new Set(fresh.layers.flatMap(({ paths }) => paths));
  const layers = matchLayers(old, fresh, oldPaths);
  const isPulled = ({ state }: LayerChange): boolean => state === 'changed' || state === 'new';
  const pulled = layers.filter(isPulled);
  const blobs = new Map(
    pulled.map(({ place, size }) => [fresh.layers[place! - 1]!.digest ?? `layer ${place}`, size]),
  );
  const first = firstDifference(old, fresh);
  return {
    measure: fresh.measure,
    pull: sum(blobs.values()),
    pulledLayers: pulled.length,
    unpack: first === undefined ? 0 : sum(fresh.layers.slice(first).map(({ size }) => size)),
    firstChangedLayer: first === undefined ? undefined : first + 1,
    bound: boundOf(
      [...newPaths].filter((path) => !oldPaths.has(path)),
      [fresh, old],
    ),
    size: sum(fresh.layers.map(({ size }) => size)),
    layers,
    why:
      oldPaths.size === 0 || newPaths.size === 0
        ? undefined
        : findCauses({ oldPaths, newLayers: fresh.layers.map(({ paths }) => paths) }, { references }),
  };
}

function matchLayers(
  old: SeenImage,
  fresh: SeenImage,
  oldPaths: ReadonlySet<string>,
): readonly LayerChange[] {
  const same = fresh.layers.map((layer, at) => findSame(layer, { old, at }));
  const taken = new Set(same.filter((at) => at !== undefined));
  const change = (
    layer: SeenLayer,
    rest: Pick<LayerChange, 'state' | 'place' | 'previousPlace'>,
  ): LayerChange => ({
    ...rest,
    kind: layer.kind,
    size: layer.size,
    paths: layer.paths.length,
    newPaths: rest.state === 'gone' ? 0 : layer.paths.filter((path) => !oldPaths.has(path)).length,
    label: layer.label,
  });
  const present = fresh.layers.map((layer, at) => {
    const kept = same[at];
    const place = at + 1;
    if (kept !== undefined) return change(layer, { state: 'kept', place, previousPlace: kept + 1 });
    const before = findPredecessor(layer, { old, at, taken });
    if (before !== undefined) taken.add(before);
    const previousPlace = before === undefined ? undefined : before + 1;
    const isUnknown = layer.kind === 'customisation' && (layer.diffID === undefined || isPlan(old));
    const state = isUnknown ? 'unknown' : before === undefined ? 'new' : 'changed';
    return change(layer, { state, place, previousPlace });
  });
  const gone = old.layers.flatMap((layer, at) =>
    taken.has(at) ? [] : [change(layer, { state: 'gone', place: undefined, previousPlace: at + 1 })],
  );
  return [...present, ...gone];
}

function isPlan({ layers }: SeenImage): boolean {
  return layers.some(({ diffID }) => diffID === undefined);
}

interface Place {
  readonly old: SeenImage;
  /** In the new image. */
  readonly at: number;
}

/** The layer at the same place wins. */
function findSame(layer: SeenLayer, { old, at }: Place): number | undefined {
  const inPlace = old.layers[at];
  if (inPlace !== undefined && isSame(inPlace, layer)) return at;
  const found = old.layers.findIndex((other) => isSame(other, layer));
  return found === -1 ? undefined : found;
}

function isSame(a: SeenLayer, b: SeenLayer): boolean {
  if (a.digest !== undefined && a.digest === b.digest) return true;
  if (a.diffID !== undefined && b.diffID !== undefined) {
    const isStoredAsIs = a.digest === a.diffID || b.digest === b.diffID || !a.digest || !b.digest;
    return a.diffID === b.diffID && isStoredAsIs;
  }
  return hasSamePaths(a, b);
}

function hasSamePaths(a: SeenLayer, b: SeenLayer): boolean {
  return (
    a.paths.length > 0 && a.paths.length === b.paths.length && a.paths.every((path, i) => path === b.paths[i])
  );
}

/** What a layer takes the place of: of those that are not kept the one that shares most names, or stands at the same place. */
function findPredecessor(
  layer: SeenLayer,
  { old, at, taken }: Place & { readonly taken: ReadonlySet<number> },
): number | undefined {
  const names = new Set(layer.paths.map((path) => splitName(path).name));
  let [best, most] = [-1, 0];
  for (const [place, other] of old.layers.entries()) {
    if (taken.has(place) || other.kind !== layer.kind) continue;
    const isInPlace = other.paths.length === 0 && (place === at || layer.kind === 'customisation');
    const shared = isInPlace ? 1 : other.paths.filter((path) => names.has(splitName(path).name)).length;
    if (shared > most) [best, most] = [place, shared];
  }
  return best === -1 ? undefined : best;
}

/** By what is in the layers: a host unpacks no layer again because it was compressed otherwise. */
function firstDifference(old: SeenImage, fresh: SeenImage): number | undefined {
  const at = fresh.layers.findIndex((layer, i) => {
    const before = old.layers[i];
    if (before === undefined) return true;
    if (before.diffID !== undefined && layer.diffID !== undefined) return before.diffID !== layer.diffID;
    // What is not known is not known to differ.
    return !(
      hasSamePaths(before, layer) ||
      (before.kind === 'customisation' && layer.kind === 'customisation')
    );
  });
  return at === -1 ? undefined : at;
}

function boundOf(paths: readonly string[], images: readonly SeenImage[]): number | undefined {
  const sizes = paths.map((path) =>
    images.map(({ pathSizes }) => pathSizes.get(path)).find((size) => size !== undefined),
  );
  return sizes.includes(undefined) ? undefined : sum(sizes as number[]);
}

function sum(numbers: Iterable<number>): number {
  let total = 0;
  for (const number of numbers) total += number;
  return total;
}
