/** A description with every default filled in and every date understood. Pure: clock and host are arguments. */
import { DEFAULT_MAX_LAYERS } from '../plan/layer-budget.ts';
import type { Layering } from '../plan/plan-layers.ts';
import type { TarOwnership } from '../layer/tar-member.ts';
import type { Platform } from './image-config.ts';
import type { ImageDescription } from './image-description.ts';
import { parseImageName, parseTag } from './image-reference.ts';
import type { JsonObject } from './json.ts';

export interface ImageSettings {
  readonly name: string | undefined;
  readonly tag: string | undefined;
  /** Not checked yet: the store knows its directory. */
  readonly contents: readonly string[];
  readonly config: JsonObject;
  readonly maxLayers: number;
  /** RFC 3339, in UTC. */
  readonly created: string;
  readonly ownership: TarOwnership;
  readonly platform: Platform;
  readonly layering: Layering;
  /** What makes the image differ from run to run, one sentence each. */
  readonly warnings: readonly string[];
}

export interface Surroundings {
  /** What "now" means. */
  readonly now: Date;
  /** With Go's name. */
  readonly architecture: string;
}

const DEFAULT_DATE = '1970-01-01T00:00:01Z';

/** @throws PhylloError IMAGE_REFERENCE_INVALID */
export function resolveSettings(description: ImageDescription, surroundings: Surroundings): ImageSettings {
  const { name, tag, contents = [], created = DEFAULT_DATE, mtime = DEFAULT_DATE } = description;
  return {
    name: name === undefined ? undefined : parseImageName(name),
    tag: tag === undefined || tag === null ? undefined : parseTag(tag),
    contents: typeof contents === 'string' ? [contents] : contents,
    config: description.config ?? {},
    maxLayers: description.maxLayers ?? DEFAULT_MAX_LAYERS,
    created: rfc3339(created, surroundings),
    ownership: ownershipOf(description, Date.parse(rfc3339(mtime, surroundings))),
    platform: platformOf(description, surroundings),
    layering: { kind: description.layering ?? 'popularity' },
    warnings: [...warnNow('created', created), ...warnNow('mtime', mtime)],
  };
}

function ownershipOf(
  { uid = 0, gid = 0, uname = 'root', gname = 'root' }: ImageDescription,
  mtimeMs: number,
): TarOwnership {
  return { mtimeSeconds: Math.floor(mtimeMs / 1000), uid, gid, uname: latin1(uname), gname: latin1(gname) };
}

function platformOf(description: ImageDescription, { architecture }: Surroundings): Platform {
  return {
    architecture: description.architecture ?? architecture,
    variant: description.variant ?? undefined,
    os: description.os ?? 'linux',
  };
}

/** The same moment in UTC, its fraction digit by digit. */
function rfc3339(text: string, { now }: Surroundings): string {
  const fraction = /\.\d+/.exec(text)?.[0] ?? '';
  const moment = text === 'now' ? now : new Date(text.replace(fraction, ''));
  return `${moment.toISOString().slice(0, -'.000Z'.length)}${fraction}Z`;
}

function warnNow(field: string, value: string): string[] {
  return value === 'now' ? [`${field} is "now": the image differs from run to run`] : [];
}

function latin1(text: string): string {
  return Buffer.from(text).toString('latin1');
}
