/** Bills of materials of images that are built, of images that exist, and of store paths. */
import type { Digest } from './digest.ts';
import { parseBaseAnnotations } from './image/base-annotations.ts';
import { CUSTOMISATION_HISTORY } from './image/image-config.ts';
import type { ImageReference } from './image/image-reference.ts';
import type { ImageSettings } from './image/image-settings.ts';
import type { Base } from './open-base.ts';
import type { ImagePlan } from './plan-image.ts';
import { type Bill, billParts, type ImageSubject } from './sbom/bill.ts';
import type { Closure, PathInfo, Store } from './store/store.ts';
import { parseStorePath, type StorePath } from './store/store-path.ts';
import type { Delivery } from './transport/deliver.ts';
import { referenceOf } from './transport/image-names.ts';
import { inspectImage, type LayerSummary } from './transport/inspect-image.ts';
import type { SourceImage } from './transport/source-image.ts';

/** When nobody says when: as images have it. */
const DEFAULT_DATE = '1970-01-01T00:00:01Z';

export interface DescribedBill {
  readonly bill: Bill;
  /** What it does not say, one sentence each. */
  readonly gaps: readonly string[];
}

/** A layer, with the store paths that its history tells. */
export type BillLayer = Pick<LayerSummary, 'diffID' | 'storePaths' | 'comment'>;

export interface BuiltForBill {
  readonly settings: Pick<ImageSettings, 'created' | 'platform'>;
  readonly base: Base;
  readonly plan: ImagePlan;
  readonly delivery: Pick<Delivery, 'stored' | 'imageID'>;
}

/** What the image is called in one place, and its manifest there. */
export interface NamedManifest {
  readonly reference: ImageReference;
  readonly digest: Digest | undefined;
}

/** @throws PhylloError STORE_PATH_INVALID where the base says that it has paths which are none */
export function billOfBuild(
  { reference, digest }: NamedManifest,
  { settings, base, plan, delivery }: BuiltForBill,
): DescribedBill {
  const { created, platform } = settings;
  const { stored, imageID } = delivery;
  const subject = { kind: 'image', reference, digest, imageID, platform, base: base.name } as const;
  const below = base.image === undefined ? [] : inspectImage(base.image).layers;
  const own = stored.slice(below.length).map(({ diffID }, i) => ({
    diffID,
    storePaths: plan.layers[i]?.paths.map(({ path }) => path) ?? [],
    comment: plan.layers[i] === undefined ? CUSTOMISATION_HISTORY.comment : undefined,
  }));
  return describe(subject, { created, layers: [...below, ...own], closure: plan.closure });
}

export interface ImageBillOptions {
  /** Knows hashes and references; without one they are gaps. */
  readonly store?: Pick<Store, 'storeDir' | 'closure'> | undefined;
}

/** @throws PhylloError STORE_PATH_INVALID, and what the store throws */
export async function billOfImage(
  image: SourceImage,
  { store }: ImageBillOptions = {},
): Promise<DescribedBill> {
  const { imageID, layers, created, names } = inspectImage(image);
  const paths = layers.flatMap(({ storePaths }) => storePaths);
  const closure = await store?.closure(paths.map((path) => parseStorePath(path, store.storeDir)));
  const subject: ImageSubject = {
    kind: 'image',
    reference: names.map(referenceOf).find((reference) => reference !== undefined),
    digest: image.manifest?.blob.digest,
    imageID,
    platform: image.platform,
    base: image.manifest === undefined ? undefined : parseBaseAnnotations(image.manifest.blob.bytes),
  };
  return describe(subject, { created, layers, closure });
}

export interface PathsBillOptions {
  readonly store: Pick<Store, 'closure'>;
  /** RFC 3339; when absent, as images have it. */
  readonly created?: string | undefined;
}

/** @throws PhylloError STORE_PATH_UNKNOWN, CLOSURE_INCOMPLETE, CLOSURE_CYCLE, and what the store throws */
export async function billOfPaths(
  paths: readonly StorePath[],
  { store, created }: PathsBillOptions,
): Promise<DescribedBill> {
  const { roots, paths: infos } = await store.closure(paths);
  const parts = billParts(infos.map((info) => ({ path: info.path, info })));
  return { bill: { subject: { kind: 'paths', roots }, created: wholeSeconds(created), parts }, gaps: [] };
}

interface DescribeOptions {
  readonly created: string | undefined;
  readonly layers: readonly BillLayer[];
  readonly closure: Closure | undefined;
}

function describe(subject: ImageSubject, { created, layers, closure }: DescribeOptions): DescribedBill {
  const infos = new Map<StorePath, PathInfo>(closure?.paths.map((info) => [info.path, info]));
  const sources = layers.flatMap(({ diffID, storePaths }) =>
    storePaths.map((text) => {
      const path = parseStorePath(text, storeDirOf(text));
      return { path, layer: diffID, info: infos.get(path) };
    }),
  );
  const bill = { subject, created: wholeSeconds(created), parts: billParts(sources) };
  return { bill, gaps: [...unknownParts(bill), ...unknownLayers(layers)] };
}

function storeDirOf(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf('/'), 0));
}

function unknownParts({ parts }: Bill): string[] {
  const unknown = parts.filter(({ info }) => info === undefined).length;
  if (unknown === 0) return [];
  return [`hashes, sizes and references of ${unknown} of ${parts.length} store paths are not known`];
}

function unknownLayers(layers: readonly BillLayer[]): string[] {
  const foreign = layers.filter(
    ({ storePaths, comment }) => storePaths.length === 0 && comment !== CUSTOMISATION_HISTORY.comment,
  );
  if (foreign.length === 0) return [];
  return [`what is in ${foreign.length} of ${layers.length} layers is not known: they hold no store paths`];
}

/** Images of others may say anything. */
function wholeSeconds(created: string | undefined): string {
  const moment = new Date(created ?? DEFAULT_DATE);
  if (Number.isNaN(moment.getTime())) return DEFAULT_DATE;
  return `${moment.toISOString().slice(0, -'.000Z'.length)}Z`;
}
