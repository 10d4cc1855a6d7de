/** A plan as one JSON document: `phyllo plan --json`. */
import type { ChangeRecord } from './change-record.ts';
import type { LayerPlan, LayerReason } from './layer-plan.ts';
import { type ExtraLayer, type PlanRow, planRows } from './plan-rows.ts';
import type { UpdateCost } from './update-cost.ts';

export interface PlanJson {
  /** In the order of the image. */
  readonly layers: readonly PlanLayerJson[];
  /** Sum of the layers' narSize in bytes. */
  readonly narSize: number;
  readonly warnings: readonly string[];
  /** For the next image's plan. */
  readonly changes?: ChangeRecord;
  /** What the update from the previous image costs. */
  readonly update?: UpdateCost;
}

export interface PlanLayerJson {
  readonly kind: PlanRow['kind'];
  /** In the order of the layer's tar; empty unless kind is `store`. */
  readonly paths: readonly string[];
  /** Bytes; of a layer that is not `store`, the size that is known of it, or 0. */
  readonly narSize: number;
  /** Of the plan's narSize: 0 to 1. */
  readonly share: number;
  /** Only where kind is `base`. */
  readonly diffID?: string;
  /** Only where kind is `store`. */
  readonly reason?: LayerReason;
  /** The reason in one line. */
  readonly why: string;
  /** narSize of each path in bytes. */
  readonly pathSizes: Readonly<Record<string, number>>;
}

export interface PlanJsonOptions {
  readonly extraLayers?: readonly ExtraLayer[];
  readonly warnings?: readonly string[];
  readonly changes?: ChangeRecord | undefined;
  readonly update?: UpdateCost | undefined;
}

export function planToJson(layers: readonly LayerPlan[], options: PlanJsonOptions = {}): PlanJson {
  const rows = planRows(layers, options.extraLayers ?? []);
  return {
    layers: rows.map(layerToJson),
    narSize: rows.reduce((sum, { size }) => sum + size, 0),
    warnings: options.warnings ?? [],
    ...(options.changes === undefined ? {} : { changes: options.changes }),
    ...(options.update === undefined ? {} : { update: options.update }),
  };
}

function layerToJson({ kind, paths, size, share, reason, why, diffID }: PlanRow): PlanLayerJson {
  return {
    kind,
    paths: paths.map(({ path }) => path),
    narSize: size,
    share,
    ...(diffID === undefined ? {} : { diffID }),
    ...(reason === undefined ? {} : { reason }),
    why,
    pathSizes: Object.fromEntries(paths.map(({ path, narSize }) => [path, narSize])),
  };
}
