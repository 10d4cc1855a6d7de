/**
 * What nixpkgs' `stream_layered_image.py` does, from the same configuration and with the same bytes, on all processors: the layers are
 * decided and the customisation layer is made; their bytes are found, described and sent.
 */
import type { Writable } from 'node:stream';
import type { Digest } from './digest.ts';
import type { DockerToolsConf } from './image/dockertools-conf.ts';
import { inheritOrderedEnv } from './image/dockertools-documents.ts';
import type { ImageLayer } from './image/image.ts';
import { storeLayerHistory } from './image/image-config.ts';
import { isJsonObject } from './image/json.ts';
import { NO_CACHE } from './layer/digest-cache.ts';
import { type LayerSource, layerTarSize, type ScannedPath } from './layer/layer-source.ts';
import { LayerWorkers } from './layer/layer-workers.ts';
import { LayerProgress } from './layer/progress.ts';
import type { TarOwnership } from './layer/tar-member.ts';
import { latin1 } from './listed-paths.ts';
import { baseLayer } from './open-base.ts';
import { dockerToolsMembers } from './transport/archive-members.ts';
import { streamArchive } from './transport/archive-stream.ts';
import { storeLayers } from './transport/deliver.ts';
import {
  completeDockerTools,
  type DockerToolsDescription,
  encodeDockerToolsDocuments,
} from './transport/dockertools-archive.ts';
import { type CustomisationFile, openCustomisation } from './transport/dockertools-customisation.ts';
import { openImage } from './transport/image-source.ts';
import type { SourceImage } from './transport/source-image.ts';

export interface StreamDockerToolsOptions {
  /** Left open. */
  readonly output: Writable;
  /** Directory below which the store is, '' for the machine's own. */
  readonly storeRoot: string;
  /** Worker threads, at least one. */
  readonly jobs: number;
  /** Stops it. */
  readonly signal?: AbortSignal;
}

export interface StreamedImage {
  readonly repoTag: string;
  /** Digest of the config: what Docker calls the image ID. */
  readonly imageID: Digest;
  /** Digests of all layers, the base's included, bottom to top. */
  readonly diffIDs: readonly Digest[];
  /** Bytes of all layers. */
  readonly size: number;
}

/**
 * @throws PhylloError FILE_UNREADABLE, FILE_TYPE_UNSUPPORTED, FILE_CHANGED, IMAGE_INVALID, ARCHIVE_INVALID, PIPE_CLOSED, DISK_FULL; the
 * signal's reason when it is aborted
 */
export async function streamDockerToolsImage(
  conf: DockerToolsConf,
  options: StreamDockerToolsOptions,
): Promise<StreamedImage> {
  const { signal } = options;
  signal?.throwIfAborted();
  const progress = new LayerProgress();
  const workers = new LayerWorkers(options.jobs, progress.counter);
  const stop = (): void => void workers.close();
  signal?.addEventListener('abort', stop, { once: true });
  let base: SourceImage | undefined;
  try {
    base = await openFromImage(conf, options);
    await using customisation = await openCustomisation(
      placeOf(conf.customisationLayer, { ...options, conf }),
    );
    return await streamLayers(conf, { ...options, base, customisation, workers, progress });
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener('abort', stop);
    await workers.close();
    base?.close();
  }
}

interface LayersOptions extends StreamDockerToolsOptions {
  readonly base: SourceImage | undefined;
  readonly customisation: CustomisationFile;
  readonly workers: LayerWorkers;
  readonly progress: LayerProgress;
}

async function streamLayers(conf: DockerToolsConf, options: LayersOptions): Promise<StreamedImage> {
  const { base, customisation, workers, progress, output } = options;
  const layers = [
    ...(base?.layers ?? []).map((layer) => baseLayer(layer, base as SourceImage)),
    ...conf.storeLayers.map((paths) => storeLayer(paths, { ...options, conf })),
    customisation.layer,
  ];
  const compression = { kind: 'none' } as const;
  const tools = { workers, cache: NO_CACHE, progress, verify: false };
  const { stored } = await storeLayers(layers, { compression, open: [], tools });
  const sizes = stored.map(({ size }) => size);
  const diffIDs = stored.map(({ diffID }) => diffID);
  const image = completeDockerTools(describe(conf, options), { ...conf, sizes });
  const members = dockerToolsMembers(image, stored);
  await streamArchive(output, { layers, stored, members, compression, tools });
  return {
    repoTag: conf.repoTag,
    imageID: encodeDockerToolsDocuments(image, diffIDs).config.digest,
    diffIDs,
    size: sizes.reduce((sum, size) => sum + size, 0),
  };
}

function describe(
  conf: DockerToolsConf,
  { base, customisation }: Pick<LayersOptions, 'base' | 'customisation'>,
): DockerToolsDescription {
  const { architecture, os, config, created, mtimeSeconds } = conf;
  return {
    created: created.text,
    architecture,
    os,
    config: base === undefined ? config : inheritOrderedEnv(config, envOf(base)),
    mtimeSeconds,
    layers: [
      ...(base?.layers ?? []).map((layer) => ({ kind: 'base', layer }) as const),
      ...conf.storeLayers.map((paths) => ({ kind: 'own', paths }) as const),
      { kind: 'own', paths: [conf.customisationLayer], entry: customisation.entry },
    ],
  };
}

/** None where the base's config is null, which makes the reference fail. */
function envOf({ config }: SourceImage): readonly string[] {
  const inner = config.document['config'];
  const env = isJsonObject(inner) ? inner['Env'] : undefined;
  return Array.isArray(env) ? env.filter((entry) => typeof entry === 'string') : [];
}

interface PlaceOptions {
  readonly conf: DockerToolsConf;
  readonly storeRoot: string;
}

/** Bytes of all layers are listed by the workers: sizes come first, as in a build. */
function storeLayer(
  paths: readonly string[],
  { conf, workers, storeRoot }: PlaceOptions & { readonly workers: LayerWorkers },
): ImageLayer {
  const ownership: TarOwnership = { ...conf, uname: latin1(conf.uname), gname: latin1(conf.gname) };
  const scan = async (path: string): Promise<ScannedPath> => {
    const location = placeOf(path, { conf, storeRoot });
    const source = { kind: 'directory', location } as const;
    const request = { storePath: latin1(path), source, ownership, permissions: [] };
    return { ...request, ...(await workers.run({ kind: 'scan', request })) };
  };
  const list = async (): Promise<LayerSource> => ({
    kind: 'store',
    paths: await Promise.all(paths.map(scan)),
    ownership,
  });
  let source: Promise<LayerSource> | undefined;
  return {
    kind: 'store',
    label: paths.join(' '),
    history: storeLayerHistory(paths),
    key: undefined,
    async prepare() {
      source ??= list();
      return { source: await source, size: layerTarSize(await source), warnings: [] };
    },
  };
}

async function openFromImage(
  conf: DockerToolsConf,
  { storeRoot, signal }: StreamDockerToolsOptions,
): Promise<SourceImage | undefined> {
  if (conf.fromImage === undefined) return undefined;
  const place = placeOf(conf.fromImage, { conf, storeRoot });
  return await openImage(`docker-archive:${place}`, signal === undefined ? {} : { signal });
}

/** Where a path is on disk: of the store below another root, if there is one. */
function placeOf(path: string, { conf, storeRoot }: PlaceOptions): string {
  return path.startsWith(`${conf.storeDir}/`) ? `${storeRoot}${path}` : path;
}
