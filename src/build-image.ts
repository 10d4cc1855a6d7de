/** The pipeline: read a closure, divide it, produce the layers' bytes, describe the image, deliver it. */
import type { Digest } from './digest.ts';
import { PhylloError } from './errors.ts';
import { type ContentConflict, CUSTOMISATION_MTIME_SECONDS, joinContents } from './image/customisation.ts';
import { descriptionTag } from './image/description-tag.ts';
import type { Image, ImageLayer } from './image/image.ts';
import { CUSTOMISATION_HISTORY, storeLayerHistory } from './image/image-config.ts';
import type { ImageReference } from './image/image-reference.ts';
import type { ImageSettings } from './image/image-settings.ts';
import { type LayerSource, layerTarSize, type ScannedPath } from './layer/layer-source.ts';
import { LayerWorkers } from './layer/layer-workers.ts';
import type { LayerPlan } from './plan/layer-plan.ts';
import { type ImagePlan, planImage } from './plan-image.ts';
import type { Store } from './store/store.ts';
import type { StorePath } from './store/store-path.ts';
import { listingEntries } from './store/tree-listing.ts';
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
  const { plan, workers } = options;
  options.onPhase?.('planned');
  const own = referenceOf(settings, plan);
  const targets = options.targets(own);
  const scanned = await scanPaths(settings, options);
  options.onPhase?.('listed');
  const { layer: customisation, conflicts } = customisationLayer(plan, scanned);
  const layers = [...plan.layers.map((layer) => storeLayer(layer, { settings, scanned })), customisation];
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
    warnings: [...plan.warnings, ...conflicts.map(describeConflict)],
  };
}

function referenceOf(settings: ImageSettings, plan: ImagePlan): ImageReference | undefined {
  if (settings.name === undefined) return undefined;
  return { name: settings.name, tag: settings.tag ?? descriptionTag(settings, plan.layers) };
}

type ScannedPaths = ReadonlyMap<StorePath, ScannedPath>;

/** Lists the tree of every store path in the image, the largest first, so that no worker is left alone with it at the end. */
async function scanPaths(
  { ownership }: ImageSettings,
  { plan, store, workers }: MakeOptions,
): Promise<ScannedPaths> {
  const needed = new Set([
    ...plan.layers.flatMap(({ paths }) => paths.map(({ path }) => path)),
    ...plan.contents,
  ]);
  const bySize = plan.closure.paths
    .filter(({ path }) => needed.has(path))
    .toSorted((left, right) => right.narSize - left.narSize);
  const scans = bySize.map(async ({ path }) => {
    const request = { storePath: latin1(path), source: store.treeSource(path), ownership };
    return [path, { ...request, ...(await workers.run({ kind: 'scan', request })) }] as const;
  });
  return new Map(await Promise.all(scans));
}

function storeLayer(
  { paths }: LayerPlan,
  { settings, scanned }: { readonly settings: ImageSettings; readonly scanned: ScannedPaths },
): ImageLayer {
  const source: LayerSource = {
    kind: 'store',
    paths: paths.map(({ path }) => scanned.get(path) as ScannedPath),
    ownership: settings.ownership,
  };
  return { source, size: layerTarSize(source), history: storeLayerHistory(paths.map(({ path }) => path)) };
}

function customisationLayer(
  { contents }: ImagePlan,
  scanned: ScannedPaths,
): { readonly layer: ImageLayer; readonly conflicts: readonly ContentConflict[] } {
  const { members, conflicts } = joinContents(
    contents.map((path) => ({
      storePath: latin1(path),
      entries: listingEntries((scanned.get(path) as ScannedPath).listing),
    })),
  );
  const source: LayerSource = { kind: 'customisation', members, mtimeSeconds: CUSTOMISATION_MTIME_SECONDS };
  return { layer: { source, size: layerTarSize(source), history: CUSTOMISATION_HISTORY }, conflicts };
}

function describeConflict({ path, kept, dropped }: ContentConflict): string {
  return `contents: ${path} is in ${kept} and in ${dropped}; the first one is in the image`;
}

/** Names in a tar are bytes. */
function latin1(text: string): string {
  return Buffer.from(text).toString('latin1');
}

/** @throws PhylloError IMAGE_INVALID when neither the image nor its destination has a name */
export function requireReference(own: ImageReference | undefined): ImageReference {
  if (own !== undefined) return own;
  throw new PhylloError('IMAGE_INVALID', 'the image has no name', {
    hint: 'set name in IMAGE.json, or --name',
  });
}
