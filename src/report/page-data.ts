/**
 * What the page's own program knows of an image: plain data, which it finds in the page as JSON. Store paths are numbers where they refer
 * to each other: places in `paths`. Pure types, and of no other file.
 */

export interface PageData {
  /** `/nix/store`; '' where there is no store path. */
  readonly storeDir: string;
  /** What the sizes of store paths are: of NARs, as a store knows them, or of their members in a layer's tar; undefined: not known. */
  readonly pathMeasure?: 'nar' | 'tar' | undefined;
  /** Whether a store told who refers to whom. */
  readonly hasReferences: boolean;
  /** Whether there is an image before that layers are compared with. */
  readonly isCompared: boolean;
  /** Bytes of all layers. */
  readonly size: number;
  /** Bottom to top. */
  readonly layers: readonly ReportLayer[];
  /** In the order of the layers and their tars, each once. */
  readonly paths: readonly ReportPath[];
}

export interface ReportLayer {
  readonly kind: 'store' | 'customisation' | 'other';
  /** One line. */
  readonly label: string;
  /** As stored; undefined in a plan. */
  readonly digest: string | undefined;
  /** Of the tar; undefined in a plan. */
  readonly diffID: string | undefined;
  /** Bytes by the report's `layerMeasure`. */
  readonly size: number;
  /** Bytes as the treemap draws the layer: of its tar, or of its store paths; where neither is known, `size`. */
  readonly area: number;
  /** Places in `paths`, in the order of the tar. */
  readonly paths: readonly number[];
  /** Undefined where nothing is compared. */
  readonly state: 'kept' | 'changed' | 'new' | 'unknown' | undefined;
  /** In the old image, from 1. */
  readonly previousPlace: number | undefined;
}

export interface ReportPath {
  /** `HASH-NAME` */
  readonly name: string;
  /** Bytes by `pathMeasure`; undefined: not known. */
  readonly size: number | undefined;
  /** Place of the layer; of several the lowest. */
  readonly layer: number;
  /** Undefined where nothing is compared, or where the old image does not tell of its store paths. */
  readonly state: PathState | undefined;
  /** Others that it refers to, ascending; undefined: not known. */
  readonly references: readonly number[] | undefined;
  /** Bytes of it and all that it refers to, directly or not; undefined: not known. */
  readonly closureSize: number | undefined;
  /** How many paths these are, itself included. */
  readonly closurePaths: number | undefined;
}

/**
 * kept: clients have it, and its layer. resent: they have it, but its layer is sent again. changed: the old image has another of this
 * name. new: it has none.
 */
export type PathState = 'kept' | 'resent' | 'changed' | 'new';
