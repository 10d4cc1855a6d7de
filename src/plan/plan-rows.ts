/** What `plan-json.ts` and `plan-table.ts` show of each layer of an image, planned or not. */
import type { PathInfo } from '../store/store.ts';
import { describeReason } from './describe-plan.ts';
import type { LayerPlan, LayerReason } from './layer-plan.ts';

/** A layer that no strategy made: of the base image (they come first) or the customisation layer (the last). */
export interface ExtraLayer {
  readonly kind: 'base' | 'customisation';
  /** Bytes, measured as the caller can; undefined where nobody knows yet. */
  readonly size?: number;
  /** Of a base layer. */
  readonly diffID?: string;
  /** One line: what it is. */
  readonly why: string;
}

export interface PlanRow {
  readonly kind: 'store' | ExtraLayer['kind'];
  readonly paths: readonly PathInfo[];
  /** Bytes; 0 where nobody knows. */
  readonly size: number;
  /** Of the sum of all sizes: 0 to 1. */
  readonly share: number;
  readonly reason?: LayerReason;
  /** Of a base layer. */
  readonly diffID?: string;
  readonly why: string;
}

/** In the order of the image: base layers, store layers, customisation layer. */
export function planRows(
  layers: readonly LayerPlan[],
  extraLayers: readonly ExtraLayer[],
): readonly PlanRow[] {
  const rows = [
    ...extraLayers.filter(({ kind }) => kind === 'base').map(extraRow),
    ...layers.map(storeRow),
    ...extraLayers.filter(({ kind }) => kind === 'customisation').map(extraRow),
  ];
  const total = rows.reduce((sum, { size }) => sum + size, 0);
  return rows.map((row) => withShare(row, total));
}

function withShare(row: Omit<PlanRow, 'share'>, total: number): PlanRow {
  return { ...row, share: total === 0 ? 0 : row.size / total };
}

function storeRow({ paths, narSize, reason }: LayerPlan): Omit<PlanRow, 'share'> {
  return { kind: 'store', paths, size: narSize, reason, why: describeReason(reason) };
}

function extraRow({ kind, size, why, diffID }: ExtraLayer): Omit<PlanRow, 'share'> {
  return { kind, paths: [], size: size ?? 0, why, ...(diffID === undefined ? {} : { diffID }) };
}
