/** The pipeline: read a closure, divide it, produce the layers' bytes, describe the image, deliver it. */
import { customiseImage } from './customise-image.ts';
import type { Digest } from './digest.ts';
import { PhylloError } from './errors.ts';
import { descriptionTag } from './image/description-tag.ts';
import type { Image, ImageLayer } from './image/image.ts';
import { CUSTOMISATION_HISTORY, type History, storeLayerHistory } from './image/image-config.ts';
import type { ImageReference } from './image/image-reference.ts';
import type { ImageSettings } from './image/image-settings.ts';
import { type LayerSource, layerTarSize } from './layer/layer-source.ts';
import { LayerWorkers } from './layer/layer-workers.ts';
import type { TarOwnership } from './layer/tar-member.ts';
import { ListedPaths } from './listed-paths.ts';
import { type ImagePlan, planImage } from './plan-image.ts';
import type { Store } from './store/store.ts';
import type { StorePath } from './store/store-path.ts';
import { deliver, type Target } from './transport/deliver.ts';

export interface BuildOptions {
  /** Stays open; whoever opened it closes it. */
  readonly store: Store;
  /** Called once the image's own name is known; it is undefined when the description has none. */
  readonly targets: (own: ImageReference | undefined) => readonly Target[];
  /** Worker threads, at least one. */
  readonly jobs: number;
  /** Called as each part of the work ends. */
  readonly onPhase?: (phase: BuildPhase) => void;
  /** Stops the build; nothing is left behind. */
  readonly signal?: AbortSignal;
}

export type BuildPhase = 'planned' | 'listed' | 'delivered';

export interface BuiltImage {
  readonly reference: ImageReference | undefined;
  /** Digest of the config: what Docker calls the image ID. */
  readonly imageID: Digest;
  readonly manifestDigest: Digest;
  /** Bottom to top. */
  readonly layers: readonly BuiltLayer[];
  /** One sentence each. */
  readonly warnings: readonly string[];
}

export interface BuiltLayer {
  readonly kind: LayerSource['kind'];
  readonly diffID: Digest;
  /** Bytes of the uncompressed tar. */
  readonly size: number;
  /** Empty for the customisation layer. */
  readonly paths: readonly StorePath[];
}

/**
 * @throws PhylloError for whatever the input or the destination does not allow; the signal's reason when it is aborted
 */
export async function buildImage(settings: ImageSettings, options: BuildOptions): Promise<BuiltImage> {
  options.signal?.throwIfAborted();
  const workers = new LayerWorkers(options.jobs);
  const stop = (): void => void workers.close();
  options.signal?.addEventListener('abort', stop, { once: true });
  try {
    const plan = await planImage(settings, options.store);
    return await makeImage(settings, { ...options, plan, workers });
  } catch (error) {
    options.signal?.throwIfAborted();
    throw error;
  } finally {
    options.signal?.removeEventListener('abort', stop);
    await workers.close();
  }
}

interface MakeOptions extends BuildOptions {
  readonly plan: ImagePlan;
  readonly workers: LayerWorkers;
}

async function makeImage(settings: ImageSettings, options: MakeOptions): Promise<BuiltImage> {
  const { plan, workers, store } = options;
  options.onPhase?.('planned');
  const own = referenceOf(settings, plan);
  const targets = options.targets(own);
  const listed = new ListedPaths({ store, workers, ownership: settings.ownership });
  const storeLayers = await listLayers(plan, { listed, ownership: settings.ownership });
  const customisation = await customiseImage(plan.contents, listed);
  options.onPhase?.('listed');
  const layers = [...storeLayers, imageLayer(customisation.source, CUSTOMISATION_HISTORY)];
  const image: Image = { ...settings, layers };
  const { digests, documents } = await deliver(image, { targets, workers });
  options.onPhase?.('delivered');
  return {
    reference: own,
    imageID: documents.config.digest,
    manifestDigest: documents.manifest.digest,
    layers: digests.map((digest, i) => ({
      ...digest,
      kind: (layers[i] as ImageLayer).source.kind,
      paths: plan.layers[i]?.paths.map(({ path }) => path) ?? [],
    })),
    warnings: [...plan.warnings, ...customisation.warnings],
  };
}

function referenceOf(settings: ImageSettings, plan: ImagePlan): ImageReference | undefined {
  if (settings.name === undefined) return undefined;
  return { name: settings.name, tag: settings.tag ?? descriptionTag(settings, plan.layers) };
}

/** The largest path first, so that no worker is left alone with it at the end. */
async function listLayers(
  plan: ImagePlan,
  { listed, ownership }: { readonly listed: ListedPaths; readonly ownership: TarOwnership },
): Promise<ImageLayer[]> {
  const bySize = plan.layers
    .flatMap(({ paths }) => paths)
    .sort((left, right) => right.narSize - left.narSize);
  await Promise.all(bySize.map(({ path }) => listed.get(path)));
  return await Promise.all(
    plan.layers.map(async (layer) => {
      const paths = layer.paths.map(({ path }) => path);
      const scanned = await Promise.all(paths.map((path) => listed.get(path)));
      return imageLayer({ kind: 'store', paths: scanned, ownership }, storeLayerHistory(paths));
    }),
  );
}

function imageLayer(source: LayerSource, history: History): ImageLayer {
  return { source, size: layerTarSize(source), history };
}

/** @throws PhylloError IMAGE_INVALID when neither the image nor its destination has a name */
export function requireReference(own: ImageReference | undefined): ImageReference {
  if (own !== undefined) return own;
  throw new PhylloError('IMAGE_INVALID', 'the image has no name', {
    hint: 'set name in IMAGE.json, or --name',
  });
}
