/** What an update is compared with and planned by: an image in any transport, or a plan's JSON. */
import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { PhylloError, reasonOf } from '../errors.ts';
import { CUSTOMISATION_HISTORY, storePathsOf } from '../image/image-config.ts';
import type { JsonObject } from '../image/json.ts';
import type { ChangeRecord } from '../plan/change-record.ts';
import { parseChangesComment, parsePlanDocument, type PlanDocument } from '../plan/plan-document.ts';
import type { SeenImage, SeenLayer } from '../plan/update-cost.ts';
import { openImage, parseImageSource } from './image-source.ts';
import { inspectImage, type LayerSummary } from './inspect-image.ts';
import type { OpenImageOptions, SourceImage } from './source-image.ts';

/** Plain data: nothing is open. */
export interface ReadSeenImage extends SeenImage {
  /** For messages, as the user called it. */
  readonly origin: string;
  /** What the image tells the next plan of its past. */
  readonly changes: ChangeRecord | undefined;
}

/**
 * A file that begins like JSON is a plan's; all else is an image.
 * @throws PhylloError PREVIOUS_INVALID, and what `openImage` throws
 */
export async function seeImage(text: string, options: OpenImageOptions = {}): Promise<ReadSeenImage> {
  const plan = seePlanFile(text);
  if (plan !== undefined) return plan;
  const image = await openImage(text, options);
  try {
    return seeOpenImage(image);
  } finally {
    image.close();
  }
}

/** As `seeImage`; the image stays open. */
export function seeOpenImage(image: SourceImage): ReadSeenImage {
  return {
    origin: image.origin,
    layers: inspectImage(image).layers.map(seeLayer),
    pathSizes: new Map(),
    measure: 'stored',
    changes: changesIn(image.history),
  };
}

/** A record below store layers is that of a base image. */
function changesIn(history: readonly JsonObject[]): ChangeRecord | undefined {
  let changes: ChangeRecord | undefined;
  for (const { comment, empty_layer } of history) {
    if (typeof comment !== 'string') continue;
    if (empty_layer === true) changes = parseChangesComment(comment) ?? changes;
    else if (storePathsOf(comment).length > 0) changes = undefined;
  }
  return changes;
}

function seeLayer({ digest, diffID, size, storePaths, comment }: LayerSummary): SeenLayer {
  const isCustomisation = comment === CUSTOMISATION_HISTORY.comment;
  const kind = storePaths.length > 0 ? 'store' : isCustomisation ? 'customisation' : 'other';
  const label = storePaths.length > 0 ? labelOf(storePaths) : (comment ?? digest.slice(0, 19));
  return { kind, diffID, digest, size, paths: storePaths, label };
}

/** The first path's name, and how many others there are. */
export function labelOf(paths: readonly string[]): string {
  const name = (paths[0] as string).replace(/^.*\/[0-9a-z]{32}-/, '');
  return paths.length === 1 ? name : `${name} and ${paths.length - 1} more`;
}

/**
 * Undefined where the text does not name a file that begins like JSON.
 * @throws PhylloError PREVIOUS_INVALID
 */
export function seePlanFile(text: string): ReadSeenImage | undefined {
  const { transport, path } = parseImageSource(text);
  if (transport !== 'detect' || !beginsLikeJson(path)) return undefined;
  try {
    return { ...seePlan(parsePlanDocument(JSON.parse(readFileSync(path, 'utf8')), text)), origin: text };
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new PhylloError('PREVIOUS_INVALID', `${text} is not JSON: ${reasonOf(cause)}`, { cause });
  }
}

/** What cannot be read is for `openImage` to complain of. */
function beginsLikeJson(path: string): boolean {
  let file: number | undefined;
  try {
    file = openSync(path, 'r');
    const start = Buffer.alloc(16);
    if (!fstatSync(file).isFile()) return false;
    return start.toString('latin1', 0, readSync(file, start)).trimStart().startsWith('{');
  } catch {
    return false;
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

function seePlan({ layers, changes }: PlanDocument): Omit<ReadSeenImage, 'origin'> {
  return {
    layers: layers.map(({ kind, paths, narSize, why, diffID }) => ({
      kind: kind === 'base' ? 'other' : kind,
      diffID,
      digest: undefined,
      size: narSize,
      paths,
      label: paths.length > 0 ? labelOf(paths) : why,
    })),
    pathSizes: new Map(layers.flatMap(({ pathSizes }) => Object.entries(pathSizes))),
    measure: 'nar',
    changes,
  };
}
