/** Brings an image to its destinations. A layer whose digest is known, and whose blob a destination has, is not even listed. */
import type { Digest } from '../digest.ts';
import { describeImage, type Image, type ImageDocuments, type ImageLayer } from '../image/image.ts';
import { familiarName } from '../image/image-reference.ts';
import type { Compression } from '../layer/encoder.ts';
import { ArchiveFile } from './archive-file.ts';
import { archiveMembers, dockerToolsMembers } from './archive-members.ts';
import { type ArchiveOutput, isWrittenInOrder, openArchiveOutput } from './archive-output.ts';
import { streamArchive } from './archive-stream.ts';
import type { BlobTarget } from './blob-target.ts';
import { DaemonTarget } from './daemon/daemon-target.ts';
import type { LoadedImage } from './daemon/load-image.ts';
import {
  completeDockerTools,
  type DockerToolsDescription,
  type DockerToolsImage,
  encodeDockerToolsDocuments,
} from './dockertools-archive.ts';
import { DockerToolsFile } from './dockertools-file.ts';
import { findKnown, type KnownLayer } from './known-layers.ts';
import { type LayerTools, makeBlobs, type NeededLayer } from './make-blobs.ts';
import { LayoutTarget } from './oci-layout.ts';
import { parseRegistryReference } from './registry/registry-reference.ts';
import { type PushCounts, RegistryTarget } from './registry/registry-target.ts';
import type {
  EngineTarget,
  FileTarget,
  LayoutDirectoryTarget,
  RegistryRepositoryTarget,
  StreamTarget,
  Target,
} from './target.ts';

/** What became of an image at a registry. */
export interface Pushed extends PushCounts {
  /** With host and tag, as `docker pull` takes it. */
  readonly name: string;
  /** Of the manifest. */
  readonly digest: Digest;
  /** Bytes of the manifest. */
  readonly size: number;
}

export interface Delivery {
  /** Bottom to top, as the first target has them. */
  readonly stored: readonly KnownLayer[];
  /** Of the config that the first target has. */
  readonly imageID: Digest;
  /** Undefined when the first target has none. */
  readonly manifestDigest: Digest | undefined;
  /** Bytes; undefined likewise. */
  readonly manifestSize: number | undefined;
  /** Layers whose bytes were made. */
  readonly made: number;
  /** To registries, in the order of their targets among those with the same compression. */
  readonly pushed: readonly Pushed[];
  /** To engines, in the same order. */
  readonly loaded: readonly LoadedImage[];
}

export interface DeliverOptions {
  /** At least one. */
  readonly targets: readonly Target[];
  readonly tools: LayerTools;
  /** For targets of this format: the image in nixpkgs' terms, its layers those of the image. */
  readonly dockerTools?: DockerToolsDescription | undefined;
  /** Stops what goes over networks; whoever stops the tools stops the rest. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Files and layouts appear whole or not at all, all of those with the same compression before the first of their streams begins.
 * @throws PhylloError DESTINATION_UNWRITABLE, DISK_FULL, FILE_CHANGED, FILE_UNREADABLE, LAYER_MISMATCH, PIPE_CLOSED; as DaemonTarget
 */
export async function deliver(image: Image, options: DeliverOptions): Promise<Delivery> {
  const deliveries: Delivery[] = [];
  const groups = Map.groupBy(options.targets, ({ compression }) => JSON.stringify(compression));
  for (const targets of groups.values()) deliveries.push(await deliverGroup(image, { ...options, targets }));
  const made = deliveries.reduce((sum, delivery) => sum + delivery.made, 0);
  const pushed = deliveries.flatMap((delivery) => delivery.pushed);
  const loaded = deliveries.flatMap((delivery) => delivery.loaded);
  return { ...(deliveries[0] as Delivery), made, pushed, loaded };
}

/** All targets have the same compression, so that each layer is made once for all of them. */
async function deliverGroup(image: Image, options: DeliverOptions): Promise<Delivery> {
  const { targets, tools } = options;
  const { layers } = image;
  const first = targets[0] as Target;
  const { compression } = first;
  const open: BlobTarget[] = [];
  const engines: DaemonTarget[] = [];
  const streams: OpenStream[] = [];
  try {
    await openTargets(image, { ...options, open, engines, streams });
    const foresee = async (known: readonly KnownLayer[]): Promise<void> => {
      const documents = describeImage(image, known);
      await Promise.all(open.map(async (target) => await target.foresee?.(documents)));
    };
    const { stored, made } = await storeLayers(layers, { compression, open, tools, foresee });
    const documents = describeImage(image, stored);
    for (const target of open) await target.commit(documents, stored);
    const loaded: LoadedImage[] = [];
    for (const engine of engines)
      loaded.push(await engine.build({ image, documents, stored, compression, tools }));
    for (const { output, target } of streams) {
      const members = isDockerTools(target)
        ? dockerToolsMembers(dockerToolsImage(target, { ...options, sizes: sizesOf(stored) }), stored)
        : archiveMembers({ ...target, image, documents, stored });
      await streamArchive(output.writable, { layers, stored, members, compression, tools });
      await output.close();
    }
    return {
      stored,
      ...identityOf(first, { ...options, documents, stored }),
      made: made + streams.length * layers.length + loaded.reduce((sum, { sent }) => sum + sent, 0),
      pushed: open.flatMap((target) => (target instanceof RegistryTarget ? pushedTo(target, documents) : [])),
      loaded,
    };
  } finally {
    await Promise.all(open.map((target) => target.discard()));
    await Promise.all(engines.map((engine) => engine[Symbol.asyncDispose]()));
    await Promise.all(streams.map(({ output }) => output.discard()));
  }
}

function pushedTo({ name, counts }: RegistryTarget, { manifest }: ImageDocuments): Pushed {
  return { name, digest: manifest.digest, size: manifest.bytes.length, ...counts };
}

interface OpenStream {
  readonly output: ArchiveOutput;
  readonly target: FileTarget | StreamTarget;
}

interface OpenTargets {
  /** To be committed or discarded. */
  readonly open: BlobTarget[];
  /** To be closed. */
  readonly engines: DaemonTarget[];
  /** To be closed or discarded. */
  readonly streams: OpenStream[];
}

/** Adds the targets one by one, so that none is lost when the next one fails. */
async function openTargets(
  image: Image,
  { targets, open, engines, streams, ...options }: DeliverOptions & OpenTargets,
): Promise<void> {
  for (const target of targets) {
    if (target.kind === 'layout') open.push(await openLayout(image, target));
    else if (target.kind === 'registry') open.push(openRepository(target, options));
    else if (target.kind === 'daemon') engines.push(await openEngine(target, options));
    else if (target.kind === 'stream' || (await isWrittenInOrder(target)))
      streams.push({ output: await openArchiveOutput(target), target });
    else open.push(await openFile(image, { target, ...options }));
  }
}

async function openLayout(
  image: Image,
  { directory, reference, isPart = false }: LayoutDirectoryTarget,
): Promise<LayoutTarget> {
  return await LayoutTarget.create(directory, { ...image, names: isPart ? 'none' : [reference] });
}

function openRepository(
  { reference: named, registries, mountFrom = [], isPart = false }: RegistryRepositoryTarget,
  { tools, signal }: Pick<DeliverOptions, 'tools' | 'signal'>,
): RegistryTarget {
  const parsed = parseRegistryReference(familiarName(named));
  const reference = isPart ? { ...parsed, tag: undefined } : parsed;
  const onSent = (bytes: number): void => tools.progress.send(bytes);
  return new RegistryTarget(registries.client(reference.host), { reference, mountFrom, onSent, signal });
}

async function openEngine(
  target: EngineTarget,
  { tools, signal }: Pick<DeliverOptions, 'tools' | 'signal'>,
): Promise<DaemonTarget> {
  const onSent = (bytes: number): void => tools.progress.send(bytes);
  return await DaemonTarget.open({ ...target, onSent, signal });
}

async function openFile(
  image: Image,
  { target, dockerTools }: Pick<DeliverOptions, 'dockerTools'> & { readonly target: FileTarget },
): Promise<BlobTarget> {
  const { file, reference, compression } = target;
  const sizes = compression.kind === 'none' ? await tarSizes(image) : undefined;
  if (!isDockerTools(target)) return await ArchiveFile.create(file, { image, reference, sizes });
  return await DockerToolsFile.create(file, dockerToolsImage(target, { dockerTools, sizes }));
}

function isDockerTools(target: Target): boolean {
  return 'format' in target && target.format === 'dockertools';
}

function dockerToolsImage(
  { reference }: Target,
  {
    dockerTools,
    sizes,
  }: Pick<DeliverOptions, 'dockerTools'> & { readonly sizes: readonly number[] | undefined },
): DockerToolsImage {
  if (dockerTools === undefined) throw new TypeError('the image is not described in terms of nixpkgs');
  if (sizes === undefined) throw new TypeError("layers of nixpkgs' archive cannot be compressed");
  return completeDockerTools(dockerTools, { sizes, repoTag: familiarName(reference) });
}

function sizesOf(stored: readonly KnownLayer[]): number[] {
  return stored.map(({ size }) => size);
}

function identityOf(
  target: Target,
  {
    documents,
    stored,
    dockerTools,
  }: Pick<DeliverOptions, 'dockerTools'> & {
    readonly documents: ImageDocuments;
    readonly stored: readonly KnownLayer[];
  },
): Pick<Delivery, 'imageID' | 'manifestDigest' | 'manifestSize'> {
  const { config, manifest } = documents;
  if (!isDockerTools(target))
    return {
      imageID: config.digest,
      manifestDigest: manifest.digest,
      manifestSize: manifest.bytes.length,
    };
  const image = dockerToolsImage(target, { dockerTools, sizes: sizesOf(stored) });
  const diffIDs = stored.map(({ diffID }) => diffID);
  const imageID = encodeDockerToolsDocuments(image, diffIDs).config.digest;
  return { imageID, manifestDigest: undefined, manifestSize: undefined };
}

/** Every place in an archive is known before a byte is read. */
async function tarSizes({ layers }: Image): Promise<number[]> {
  return await Promise.all(layers.map(async (layer) => (await layer.prepare({ exact: true })).size));
}

interface StoreOptions {
  readonly compression: Compression;
  readonly open: readonly BlobTarget[];
  readonly tools: LayerTools;
  /** Told of all layers, where all are known. */
  readonly foresee?: (known: readonly KnownLayer[]) => Promise<void>;
}

/** Makes the blobs that nobody knows or that a destination lacks. */
export async function storeLayers(
  layers: readonly ImageLayer[],
  { compression, open, tools, foresee }: StoreOptions,
): Promise<Pick<Delivery, 'stored' | 'made'>> {
  const found = layers.map((layer) => findKnown(layer, { cache: tools.cache, compression }));
  if (found.every((known) => known !== undefined)) await foresee?.(found);
  const asked = await Promise.all(
    layers.map(async (layer, index): Promise<NeededLayer> => {
      const known = found[index];
      return { index, layer, known, receivers: await receiversOf(layer, { known, open }) };
    }),
  );
  const needed = asked.filter(
    ({ known, receivers }) => known === undefined || receivers.length > 0 || tools.verify,
  );
  const made = await makeBlobs(needed, { compression, tools });
  const stored = asked.map((one) => made[needed.indexOf(one)] ?? (one.known as KnownLayer));
  return { stored, made: made.length };
}

async function receiversOf(
  layer: ImageLayer,
  { known, open }: Pick<NeededLayer, 'known'> & Pick<StoreOptions, 'open'>,
): Promise<BlobTarget[]> {
  if (known === undefined) return [...open];
  const lacking = await Promise.all(open.map(async (target) => !(await target.has(known, layer))));
  return open.filter((_, i) => lacking[i]);
}
