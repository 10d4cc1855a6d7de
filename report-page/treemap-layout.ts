/**
 * Where the treemap's rectangles are. Pure.
 *
 * Areas are exact: nothing is taken off for titles or gaps, which are drawn inside the rectangles, so that any two rectangles of the map
 * compare as their sizes do. Layers and, within each, store paths are squarified (Bruls, Huizing, van Wijk 2000), the largest first.
 */
import { hierarchy, treemap, treemapSquarify, type HierarchyRectangularNode } from 'd3-hierarchy';
import type { PageData } from '../src/report/page-data.ts';

/** In the units of the map's width and height. */
export interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface LayerRectangle extends Rectangle {
  /** Place in the report's layers. */
  readonly layer: number;
  /** Bytes. */
  readonly size: number;
  /** Empty where the sizes of the layer's store paths are not known, or it has none. */
  readonly cells: readonly CellRectangle[];
}

export interface CellRectangle extends Rectangle {
  /** Place in the report's paths; undefined for what a layer has beside its store paths. */
  readonly path: number | undefined;
  /** Bytes. */
  readonly size: number;
}

export interface MapShape {
  readonly width: number;
  readonly height: number;
  /** The one layer that fills the map; undefined: all. */
  readonly only: number | undefined;
}

interface Datum {
  readonly layer: number;
  readonly path: number | undefined;
  readonly size: number;
  readonly children?: readonly Datum[];
}

/** The largest layer first. What has no bytes has no rectangle. */
export function layOut(
  data: Pick<PageData, 'layers' | 'paths'>,
  { width, height, only }: MapShape,
): LayerRectangle[] {
  const shown = data.layers.flatMap((_, layer) =>
    only === undefined || only === layer ? [layerDatum(data, layer)] : [],
  );
  const root = hierarchy<Datum>({
    layer: -1,
    path: undefined,
    size: 0,
    children: shown.filter(({ size }) => size > 0),
  })
    .sum(({ size, children }) => (children === undefined ? size : 0))
    .sort((a, b) => (b.value ?? 0) - (a.value ?? 0) || order(a.data, b.data));
  const laid = treemap<Datum>().tile(treemapSquarify).size([width, height])(root);
  return (laid.children ?? []).map((node) => ({
    ...rectangleOf(node),
    layer: node.data.layer,
    size: node.value ?? 0,
    cells: (node.children ?? []).map((cell) => ({
      ...rectangleOf(cell),
      path: cell.data.path,
      size: cell.value ?? 0,
    })),
  }));
}

function layerDatum({ layers, paths }: Pick<PageData, 'layers' | 'paths'>, layer: number): Datum {
  const { area, paths: own } = layers[layer]!;
  const sizes = own.map((path) => paths[path]!.size);
  if (own.length === 0 || sizes.includes(undefined)) return { layer, path: undefined, size: area };
  const cells = own.map((path, i): Datum => ({ layer, path, size: sizes[i]! }));
  const rest = area - cells.reduce((sum, { size }) => sum + size, 0);
  const others: readonly Datum[] = rest > 0 ? [{ layer, path: undefined, size: rest }] : [];
  return {
    layer,
    path: undefined,
    size: area,
    children: [...cells, ...others].filter(({ size }) => size > 0),
  };
}

function order(a: Datum, b: Datum): number {
  return a.layer - b.layer || (a.path ?? Infinity) - (b.path ?? Infinity);
}

function rectangleOf({ x0, y0, x1, y1 }: HierarchyRectangularNode<Datum>): Rectangle {
  return { x: x0, y: y0, width: x1 - x0, height: y1 - y0 };
}
