/** What a planned image costs the clients of the image before, to the byte where the store's files can be listed. */
import { customiseImage } from './customise-image.ts';
import { PhylloError } from './errors.ts';
import type { ImageSettings } from './image/image-settings.ts';
import { type LayerDigest, layerTarSize } from './layer/layer-source.ts';
import { LayerWorkers } from './layer/layer-workers.ts';
import { LayerProgress } from './layer/progress.ts';
import { ListedPaths } from './listed-paths.ts';
import type { Base } from './open-base.ts';
import { type ImagePlan, isCustomisedFirst, readRoots, storeContents } from './plan-image.ts';
import { compareImages, type SeenImage, type SeenLayer, type UpdateCost } from './plan/update-cost.ts';
import type { Store } from './store/store.ts';
import type { TreeSource } from './store/tree.ts';
import { labelOf } from './transport/seen-image.ts';

export interface PriceOptions {
  readonly previous: SeenImage;
  readonly base: Base;
  readonly plan: ImagePlan;
  readonly store: Store;
  /** Worker threads, at least one. */
  readonly jobs: number;
}

/**
 * Layers count as they are before compression: the tars' sizes, or the narSizes of a store whose files cannot be read. A customisation
 * layer that is more than links to contents is not known before it is made, and counts nothing.
 */
export async function priceUpdate(settings: ImageSettings, options: PriceOptions): Promise<UpdateCost> {
  const { base, plan, previous } = options;
  const { sizes, customisation, measure } = await measureLayers(settings, options);
  const below = base.layers.map(({ blob, history }, i): SeenLayer => ({
    kind: previous.layers[i]?.kind === 'store' ? 'store' : 'other',
    diffID: blob?.diffID,
    digest: undefined,
    size: blob?.size ?? 0,
    paths: [],
    label: history.comment,
  }));
  const own = plan.layers.map(({ paths }, i): SeenLayer => {
    const names = paths.map(({ path }) => path);
    const size = sizes[i] as number;
    return { kind: 'store', diffID: undefined, digest: undefined, size, paths: names, label: labelOf(names) };
  });
  const top: SeenLayer = {
    kind: 'customisation',
    diffID: customisation?.diffID,
    digest: undefined,
    size: customisation?.size ?? 0,
    paths: [],
    label: customisation === undefined ? 'not known before the build' : 'links to contents',
  };
  const { paths } = plan.closure;
  const image: SeenImage = {
    layers: [...below, ...own, top],
    pathSizes: new Map(paths.map(({ path, narSize }) => [path, narSize])),
    measure,
  };
  const references = new Map(paths.map((info) => [info.path, info.references]));
  return compareImages(previous, image, { references });
}

interface Measured {
  /** Of each layer of the plan, in bytes. */
  readonly sizes: readonly number[];
  /** Undefined where it is more than links to contents, or their files cannot be read. */
  readonly customisation: LayerDigest | undefined;
  readonly measure: 'tar' | 'nar';
}

async function measureLayers(
  settings: ImageSettings,
  { plan, store, jobs }: PriceOptions,
): Promise<Measured> {
  const narSizes: Measured = {
    sizes: plan.layers.map(({ narSize }) => narSize),
    customisation: undefined,
    measure: 'nar',
  };
  // Nobody fetches a closure to learn what an update would cost.
  if (plan.closure.paths.some(({ path }) => isRemote(store.treeSource(path)))) return narSizes;
  const workers = new LayerWorkers(jobs, new LayerProgress().counter);
  const listed = new ListedPaths({ ...settings, store, workers });
  try {
    const sizes = plan.layers.map(async ({ paths }) => {
      const scanned = await Promise.all(paths.map(({ path }) => listed.get(path)));
      return layerTarSize({ kind: 'store', paths: scanned, ownership: settings.ownership });
    });
    // Together, so that none fails while nobody waits for it.
    const [customisation, ...tarSizes] = await Promise.all([
      measureCustomisation(settings, { store, workers, listed }),
      ...sizes,
    ]);
    return { sizes: tarSizes, customisation, measure: 'tar' };
  } catch (error) {
    if (!(error instanceof PhylloError)) throw error;
    return narSizes;
  } finally {
    await workers.close();
  }
}

function isRemote(source: TreeSource): boolean {
  return source.kind === 'nar' && source.remote !== undefined;
}

async function measureCustomisation(
  settings: ImageSettings,
  {
    store,
    workers,
    listed,
  }: { readonly store: Store; readonly workers: LayerWorkers; readonly listed: ListedPaths },
): Promise<LayerDigest | undefined> {
  const roots = readRoots(settings, store.storeDir);
  if (isCustomisedFirst(settings, roots)) return undefined;
  const { source } = await customiseImage(storeContents(roots), listed);
  return await workers.run({ kind: 'write', layer: source, places: [] });
}
