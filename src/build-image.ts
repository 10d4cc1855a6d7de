/** The pipeline: read a closure, divide it, produce the layers' bytes, describe the image, deliver it. */
import { WorkDirectory } from './customise/work-directory.ts';
import { customiseFirst, type SeenCustomisation } from './customise-image.ts';
import { deliverSbom, type DeliveredSbom, type SbomRequest } from './deliver-sbom.ts';
import type { Digest } from './digest.ts';
import { describeForDockerTools } from './dockertools-description.ts';
import { PhylloError } from './errors.ts';
import { baseAnnotations } from './image/base-annotations.ts';
import { descriptionTag, type TaggedImage } from './image/description-tag.ts';
import type { ImageLayer } from './image/image.ts';
import type { ImageReference } from './image/image-reference.ts';
import type { ImageSettings } from './image/image-settings.ts';
import { customisationLayer, storeLayers } from './image-layers.ts';
import { type DigestCache, type Memory, NO_CACHE } from './layer/digest-cache.ts';
import type { LayerSource } from './layer/layer-source.ts';
import { LayerWorkers } from './layer/layer-workers.ts';
import { LayerProgress, type ProgressState } from './layer/progress.ts';
import type { StoredLayer } from './layer/stored-layer.ts';
import { ListedPaths } from './listed-paths.ts';
import { type Base, openBase } from './open-base.ts';
import { openPrevious } from './open-previous.ts';
import { type ImagePlan, planImage } from './plan-image.ts';
import { NarKeeper } from './store/nar-keeper.ts';
import type { Store } from './store/store.ts';
import type { StorePath } from './store/store-path.ts';
import type { LocateDaemon } from './transport/daemon/daemon-address.ts';
import type { LoadedImage } from './transport/daemon/load-image.ts';
import { isWrittenInOrder } from './transport/archive-output.ts';
import { deliver, type Pushed } from './transport/deliver.ts';
import type { SharedCache, SharedCacheUse } from './transport/shared-cache/shared-cache.ts';
import type { Registries } from './transport/registry/registries.ts';
import type { Target } from './transport/target.ts';

export interface BuildOptions {
  /** Stays open; whoever opened it closes it. */
  readonly store: Store;
  /** Called once the image's own name is known; it is undefined when the description has none. */
  readonly targets: (own: ImageReference | undefined) => readonly Target[];
  /** Worker threads, at least one. */
  readonly jobs: number;
  /** What is known of layers made before; without it every layer is made. */
  readonly cache?: DigestCache;
  /** Plans that were made before, of a `SqliteDigestCache`; without it the plan is made. */
  readonly plans?: Memory | undefined;
  /** The same as `cache`, where other machines share it: asked before layers are made, and told afterwards. */
  readonly sharedCache?: SharedCache | undefined;
  /** Those that images of `docker://` are in. Stay open; whoever opened them closes them. */
  readonly registries?: Registries;
  /** The one that images of `docker-daemon:` are in. */
  readonly daemon?: LocateDaemon;
  /** A bill of materials: attached to the image at registries, and perhaps written to a file. */
  readonly sbom?: SbomRequest | undefined;
  /** Compares each store path's files with the NAR hash that the store has. */
  readonly verify?: boolean;
  /** Gets a function that tells how far the layers are, before work begins. */
  readonly onStart?: (progress: () => ProgressState) => void;
  /** Called with the plan before anything is made. */
  readonly onPlan?: (plan: ImagePlan, base: Base) => void;
  /** Called as each part of the work ends. */
  readonly onPhase?: (phase: BuildPhase) => void;
  /** Stops the build; nothing is left behind. */
  readonly signal?: AbortSignal;
}

export type BuildPhase = 'planned' | 'delivered';

export interface BuiltImage {
  readonly reference: ImageReference | undefined;
  /** Digest of the config: what Docker calls the image ID. */
  readonly imageID: Digest;
  /** Undefined when the destination has no manifest of OCI's. */
  readonly manifestDigest: Digest | undefined;
  /** Bytes; undefined likewise. */
  readonly manifestSize: number | undefined;
  /** Bottom to top. */
  readonly layers: readonly BuiltLayer[];
  /** Layers whose bytes were made, once for each way of compressing them; the rest was known and in its place. */
  readonly made: number;
  /** Undefined without a shared cache. */
  readonly sharedCache: Pick<SharedCacheUse, 'learnt' | 'published'> | undefined;
  /** What became of it at registries. */
  readonly pushed: readonly Pushed[];
  /** What became of it at Docker engines. */
  readonly loaded: readonly LoadedImage[];
  /** Undefined where none was asked for. */
  readonly sbom: Omit<DeliveredSbom, 'gaps'> | undefined;
  /** One sentence each. */
  readonly warnings: readonly string[];
}

export interface BuiltLayer extends StoredLayer {
  readonly kind: LayerSource['kind'];
  /** Empty for the customisation layer. */
  readonly paths: readonly StorePath[];
}

/**
 * @throws PhylloError for whatever the input or the destination does not allow; the signal's reason when it is aborted
 */
export async function buildImage(settings: ImageSettings, options: BuildOptions): Promise<BuiltImage> {
  options.signal?.throwIfAborted();
  const progress = new LayerProgress();
  const workers = new LayerWorkers(options.jobs, progress.counter);
  const work = new WorkDirectory();
  const stop = (): void => void workers.close();
  options.signal?.addEventListener('abort', stop, { once: true });
  const { registries, daemon, signal } = options;
  const opening = { registries, daemon, ...(signal === undefined ? {} : { signal }) };
  try {
    options.onStart?.(() => progress.state);
    using base = await openBase(settings, opening);
    const previous = await openPrevious(settings, { ...opening, base });
    const keeper = new NarKeeper(() => work.path);
    const listed = new ListedPaths({ ...options, workers, keeper, ...settings });
    const customising = { ...options, signal: options.signal, listed, work };
    using first = await customiseFirst(settings, customising);
    const planned = await planImage(settings, options.store, {
      mentioned: first?.mentioned,
      baseLayers: base.layers.length,
      previous: previous.layers,
      plans: options.plans,
      onMake: () => workers.prepare(),
    });
    const plan = { ...planned, warnings: [...previous.warnings, ...planned.warnings] };
    return await makeImage(settings, { ...options, base, plan, workers, progress, listed, first });
  } catch (error) {
    options.signal?.throwIfAborted();
    throw error;
  } finally {
    options.signal?.removeEventListener('abort', stop);
    await workers.close();
    work.remove();
  }
}

interface MakeOptions extends BuildOptions {
  readonly base: Base;
  readonly plan: ImagePlan;
  readonly workers: LayerWorkers;
  readonly progress: LayerProgress;
  readonly listed: ListedPaths;
  /** Undefined: the layer depends on the contents alone and is made when it is needed. */
  readonly first: SeenCustomisation | undefined;
}

async function makeImage(settings: ImageSettings, options: MakeOptions): Promise<BuiltImage> {
  const { base, plan, workers, progress, first, sharedCache, verify = false } = options;
  const cache = sharedCache ?? options.cache ?? NO_CACHE;
  options.onPhase?.('planned');
  options.onPlan?.(plan, base);
  const own = referenceOf(settings, { ...plan, fingerprint: fingerprintOf(base, first) });
  const targets = options.targets(own);
  const again = await needsBytesTwice(targets);
  const layers = [
    ...base.layers,
    ...storeLayers(settings, { ...options, again, verify }),
    customisationLayer(settings, options),
  ];
  const image = {
    ...settings,
    config: base.config,
    annotations: { ...(base.name === undefined ? {} : baseAnnotations(base.name)), ...settings.annotations },
    baseHistory: base.history,
    layers,
    changes: plan.changes,
  };
  const keys = layers.flatMap(({ key }) => key ?? []);
  await sharedCache?.learn(
    keys,
    targets.map(({ compression }) => compression),
  );
  const tools = { workers, cache, progress, verify };
  const dockerTools = describeForDockerTools(settings, { base, storeLayers: plan.layers });
  const delivered = await deliver(image, { targets, tools, dockerTools, signal: options.signal });
  const { stored, imageID, manifestDigest, manifestSize, made, pushed, loaded } = delivered;
  await sharedCache?.publish();
  const built = { settings, base, plan, delivery: delivered, targets, signal: options.signal };
  const sbom = options.sbom === undefined ? undefined : await deliverSbom(options.sbom, built);
  options.onPhase?.('delivered');
  return {
    reference: own,
    imageID,
    manifestDigest,
    manifestSize,
    layers: stored.map(({ warnings: _, ...layer }, i) => ({
      ...layer,
      kind: (layers[i] as ImageLayer).kind,
      paths: plan.layers[i - base.layers.length]?.paths.map(({ path }) => path) ?? [],
    })),
    made,
    pushed,
    loaded,
    sbom: sbom === undefined ? undefined : { format: sbom.format, attached: sbom.attached },
    sharedCache: sharedCache === undefined ? undefined : usedOf(sharedCache.use),
    warnings: [
      ...plan.warnings,
      ...stored.flatMap(({ warnings }) => warnings),
      ...loaded.flatMap(({ warnings }) => warnings),
      ...(sharedCache?.use.warnings ?? []),
      ...(sbom?.gaps ?? []).map((gap) => `bill of materials: ${gap}`),
    ],
  };
}

function usedOf({ learnt, published }: SharedCacheUse): BuiltImage['sharedCache'] {
  return { learnt, published };
}

function fingerprintOf(base: Base, first: SeenCustomisation | undefined): string | undefined {
  const parts = [base.fingerprint, first?.fingerprint].filter((part) => part !== undefined);
  return parts.length === 0 ? undefined : parts.join(' ');
}

function referenceOf(settings: ImageSettings, tagged: TaggedImage): ImageReference | undefined {
  if (settings.name === undefined) return undefined;
  return { name: settings.name, tag: settings.tag ?? descriptionTag(settings, tagged) };
}

/** Whether layers' bytes are made more than once: for a stream their digests come first. */
async function needsBytesTwice(targets: readonly Target[]): Promise<boolean> {
  const compressions = new Set(targets.map(({ compression }) => JSON.stringify(compression)));
  const streams = targets.map(async (target) => target.kind === 'daemon' || (await isWrittenInOrder(target)));
  return compressions.size > 1 || (await Promise.all(streams)).includes(true);
}

/** @throws PhylloError IMAGE_INVALID when neither the image nor its destination has a name */
export function requireReference(own: ImageReference | undefined): ImageReference {
  if (own !== undefined) return own;
  throw new PhylloError('IMAGE_INVALID', 'the image has no name', {
    hint: 'set name in IMAGE.json, or --name',
  });
}
