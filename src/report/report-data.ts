/** What a report says of an image: plain data. */
import type { UpdateCauses } from '../plan/update-causes.ts';
import type { LayerChange, UpdateCost } from '../plan/update-cost.ts';
import type { PageData } from './page-data.ts';

export interface ReportData extends PageData {
  /** What people call the image. */
  readonly title: string;
  readonly facts: readonly ImageFact[];
  /** What the sizes of layers are. */
  readonly layerMeasure: UpdateCost['measure'];
  /** Undefined where nothing is compared. */
  readonly update: ReportUpdate | undefined;
}

export interface ImageFact {
  readonly name: string;
  readonly value: string;
}

export interface ReportUpdate {
  /** What people call the image before. */
  readonly from: string;
  readonly cost: Omit<UpdateCost, 'layers' | 'why'>;
  readonly why: UpdateCauses | undefined;
  /** Layers of the old image that are no more. */
  readonly gone: readonly LayerChange[];
}
