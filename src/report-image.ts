/** What a report says of an image: read from the image, from a store, and from the image before. */
import { findClosure, type FindClosureOptions } from './find-closure.ts';
import { type ImageParts, makeReport } from './report/make-report.ts';
import type { ReportData } from './report/report-data.ts';
import type { Closure } from './store/store.ts';
import { DEFAULT_STORE_DIR } from './store/store-path.ts';
import { isRegistryImage, openImage } from './transport/image-source.ts';
import { inspectImage } from './transport/inspect-image.ts';
import { type LayerContents, readLayerContents } from './transport/layer-contents.ts';
import { type ReadSeenImage, seeImage, seeOpenImage, seePlanFile } from './transport/seen-image.ts';
import type { OpenImageOptions, SourceImage } from './transport/source-image.ts';

export interface ReportOptions extends OpenImageOptions, FindClosureOptions {
  /** The image before, or a plan of it. */
  readonly previous?: string;
  /** Whether layers in a registry are downloaded for their sizes; those of files are always read where no store knows them. */
  readonly readLayers?: boolean;
}

/**
 * @param source an image as `openImage` takes it, or a file with a plan
 * @throws PhylloError what `openImage` throws, PREVIOUS_INVALID (a plan that is none), what a store that was asked for throws
 */
export async function reportImage(source: string, options: ReportOptions = {}): Promise<ReportData> {
  const { previous } = options;
  const parts = await readParts(source, options);
  const before = previous === undefined ? undefined : await seeImage(previous, options);
  return makeReport({ ...parts, previous: before });
}

async function readParts(source: string, options: ReportOptions): Promise<ImageParts> {
  const plan = seePlanFile(source);
  if (plan !== undefined) {
    const closure = await findClosure(pathsOf(plan), options);
    return { seen: plan, summary: undefined, contents: plan.layers.map(() => undefined), closure };
  }
  const image = await openImage(source, options);
  try {
    return await readImageParts(image, options);
  } finally {
    image.close();
  }
}

/** Where the history tells of no store paths, the layers may have some all the same. */
async function readImageParts(image: SourceImage, options: ReportOptions): Promise<ImageParts> {
  const seen = seeOpenImage(image);
  const told = pathsOf(seen);
  const closure = await findClosure(told, options);
  const summary = inspectImage(image);
  const contents = await readContents(image, { ...options, seen, closure });
  if (told.length > 0) return { seen, summary, contents, closure };
  const found = withPathsFound(seen, contents);
  return { seen: found, summary, contents, closure: await findClosure(pathsOf(found), options) };
}

/** Of the layers that nobody has told about, as far as they may be read. */
async function readContents(
  image: SourceImage,
  {
    seen,
    closure,
    readLayers = false,
    signal,
  }: ReportOptions & { readonly seen: ReadSeenImage; readonly closure: Closure | undefined },
): Promise<readonly (LayerContents | undefined)[]> {
  const isNear = readLayers || !isRegistryImage(image.origin);
  const storeDir = closure?.storeDir ?? storeDirOf(seen);
  const contents: (LayerContents | undefined)[] = [];
  for (const [at, layer] of image.layers.entries()) {
    const isKnown = closure !== undefined && seen.layers[at]!.kind === 'store';
    const isRead = isNear && !isKnown;
    const reading = { storeDir, ...(signal === undefined ? {} : { signal }) };
    contents.push(isRead ? await readLayerContents(layer, reading) : undefined);
    signal?.throwIfAborted();
  }
  return contents;
}

function withPathsFound(
  seen: ReadSeenImage,
  contents: readonly (LayerContents | undefined)[],
): ReadSeenImage {
  const layers = seen.layers.map((layer, at) => ({
    ...layer,
    paths: [...(contents[at]?.pathSizes.keys() ?? [])],
  }));
  return { ...seen, layers };
}

function pathsOf({ layers }: ReadSeenImage): readonly string[] {
  return [...new Set(layers.flatMap(({ paths }) => paths))];
}

function storeDirOf(seen: ReadSeenImage): string {
  const [first] = pathsOf(seen);
  return first === undefined ? DEFAULT_STORE_DIR : first.slice(0, first.lastIndexOf('/'));
}
