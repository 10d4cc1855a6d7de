/**
 * A floor under the size of layers, so that hundreds of tiny layers cost no requests.
 *
 * A layer is *small* when its narSize is below the floor. The exact rule:
 *   1. Small layers that follow each other form a run. Going through a run, layers are joined until their sum reaches
 *      the floor; then the next joined layer begins.
 *   2. What a run has left over below the floor joins the run's last joined layer. If there is none, it joins the smaller
 *      of the two layers on either side of the run, by their size before any joining; of equal ones the one before.
 *   3. Where all layers together are below the floor, one layer is left.
 *
 * So every layer reaches the floor, unless there is only one; no layer that reaches it alone is split or reordered, and paths
 * keep their order. Cost: linear. Deterministic: only sizes and places decide.
 */
import { PhylloError } from '../errors.ts';
import { layerOf } from './layer-of.ts';
import type { LayerPlan, LayerReason } from './layer-plan.ts';

/** Layers that become one; their places follow each other. */
interface Group {
  layers: LayerPlan[];
  narSize: number;
}

/**
 * @param floor in bytes of narSize; 0 changes nothing
 * @throws PhylloError LAYERING_INVALID where the floor is not a whole number
 */
export function joinSmallLayers(layers: readonly LayerPlan[], floor: number): readonly LayerPlan[] {
  if (!Number.isSafeInteger(floor) || floor < 0) {
    throw new PhylloError('LAYERING_INVALID', `minLayerSize: found ${floor}, wanted a whole number of bytes`);
  }
  return placeLeftovers(groupRuns(layers, floor), floor).map(joinGroup);
}

/** Step 1: a group that ends below the floor is a leftover. */
function groupRuns(layers: readonly LayerPlan[], floor: number): Group[] {
  const groups: Group[] = [];
  for (const layer of layers) {
    const last = groups.at(-1);
    const joins = last !== undefined && last.narSize < floor && layer.narSize < floor;
    if (joins) append(last, [layer]);
    else groups.push({ layers: [layer], narSize: layer.narSize });
  }
  return groups;
}

/** Step 2. All targets are found before any group changes. */
function placeLeftovers(groups: Group[], floor: number): readonly Group[] {
  const targets = groups.map((group, index) =>
    group.narSize < floor ? leftoverTarget(groups, index, floor) : index,
  );
  for (const [index, target] of targets.entries()) {
    if (target < index) append(groups[target]!, groups[index]!.layers);
    if (target > index) groups[target]!.layers = groups[index]!.layers.concat(groups[target]!.layers);
  }
  return groups.filter((_, index) => targets[index] === index);
}

/** The index of the group that takes a leftover; its own where there is no other. */
function leftoverTarget(groups: readonly Group[], index: number, floor: number): number {
  const before = groups[index - 1];
  const after = groups[index + 1];
  if (before === undefined) return after === undefined ? index : index + 1;
  const isOfSameRun = before.layers.every(({ narSize }) => narSize < floor);
  return after === undefined || isOfSameRun || before.narSize <= after.narSize ? index - 1 : index + 1;
}

function append(group: Group, layers: readonly LayerPlan[]): void {
  for (const layer of layers) {
    group.layers.push(layer);
    group.narSize += layer.narSize;
  }
}

function joinGroup({ layers }: Group): LayerPlan {
  const [only] = layers;
  if (only !== undefined && layers.length === 1) return only;
  return layerOf(
    layers.flatMap(({ paths }) => paths),
    { kind: 'joined', reasons: layers.flatMap(({ reason }) => partsOf(reason)) },
  );
}

function partsOf(reason: LayerReason): readonly LayerReason[] {
  return reason.kind === 'joined' ? reason.reasons : [reason];
}
