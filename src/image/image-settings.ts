/** A description with every default filled in and every date understood. Pure: clock and host are arguments. */
import { PhylloError } from '../errors.ts';
import { DEFAULT_MAX_LAYERS, MAX_LAYERS_ANYWHERE } from '../plan/layer-budget.ts';
import type { ExplicitLayer } from '../plan/explicit-layers.ts';
import type { Layering } from '../plan/plan-layers.ts';
import type { TarOwnership } from '../layer/tar-member.ts';
import { aboutKeys } from './about.ts';
import type { InheritableField } from './base-image.ts';
import { parseDate } from './date.ts';
import type { Platform } from './image-config.ts';
import type { ImageDescription } from './image-description.ts';
import { parseImageName, parseTag } from './image-reference.ts';
import { type PathPermissions, readPermissions } from './path-permissions.ts';
import { type IncludedFile, includedFiles } from './included-files.ts';
import { isJsonObject, type JsonObject } from './json.ts';
import type { OrderedJson } from './ordered-json.ts';

export interface ImageSettings {
  readonly name: string | undefined;
  readonly tag: string | undefined;
  /** Not checked yet: the store knows its directory. */
  readonly contents: readonly string[];
  /** Not checked yet, as `contents`. */
  readonly copyToRoot: readonly string[];
  /** Files of named helpers. */
  readonly included: readonly IncludedFile[];
  readonly includeNixDB: boolean;
  readonly commands: CustomisationCommands;
  /** File with a tar that is the layer as it stands; then nothing else is put there and no command runs. */
  readonly customisationLayer?: string | undefined;
  /** False: the image has no store layers. */
  readonly includeStorePaths: boolean;
  /** Not checked yet, as `contents`. */
  readonly excludePaths: readonly string[];
  readonly config: JsonObject;
  /** `config` as it was written, for the order of keys that objects put first; undefined: the object's order. */
  readonly configOrder?: OrderedJson | undefined;
  /** Of the manifest. */
  readonly annotations: Readonly<Record<string, string>>;
  /** As `openImage` takes it. */
  readonly fromImage: string | undefined;
  /** As `seeImage` takes it. */
  readonly previous: string | undefined;
  /** Whether a previous image that is missing or not ours is no error. */
  readonly previousOptional: boolean;
  readonly inherit: readonly InheritableField[];
  readonly maxLayers: number;
  /** RFC 3339, in UTC. */
  readonly created: string;
  readonly ownership: TarOwnership;
  readonly permissions: readonly PathPermissions[];
  readonly platform: Platform;
  readonly layering: Layering;
  readonly explicitLayers: readonly ExplicitLayer[];
  /** Bytes of narSize; 0: off. */
  readonly minLayerSize: number;
  /** What makes the image differ from run to run, one sentence each. */
  readonly warnings: readonly string[];
}

/** bash, run in the customisation layer's tree; '' is nothing to do. */
export interface CustomisationCommands {
  readonly extra: string;
  /** Can change owners. */
  readonly fakeRoot: string;
  /** Whether `fakeRoot` sees the image as `/`. */
  readonly chroot: boolean;
}

export interface Surroundings {
  /** What "now" means. */
  readonly now: Date;
  /** With Go's name. */
  readonly architecture: string;
}

const DEFAULT_DATE = '1970-01-01T00:00:01Z';

/**
 * Files that the description names (a pipeline's) are not read here: their contents must be in it by now.
 * @throws PhylloError IMAGE_REFERENCE_INVALID, LAYERING_INVALID
 */
export function resolveSettings(description: ImageDescription, surroundings: Surroundings): ImageSettings {
  const { name, tag, contents = [], created = DEFAULT_DATE, mtime = DEFAULT_DATE } = description;
  return {
    name: name === undefined ? undefined : parseImageName(name),
    tag: tag === undefined || tag === null ? undefined : parseTag(tag),
    contents: asList(contents),
    copyToRoot: asList(description.copyToRoot ?? []),
    included: includedFiles(description.include ?? []),
    includeNixDB: description.includeNixDB ?? false,
    commands: commandsOf(description),
    customisationLayer: description.customisationLayer,
    includeStorePaths: description.includeStorePaths ?? true,
    excludePaths: description.excludePaths ?? [],
    config: withLabels(description),
    annotations: { ...aboutKeys(description.about ?? {}), ...description.annotations },
    fromImage: description.fromImage ?? undefined,
    previous: description.previous ?? undefined,
    previousOptional: description.previousOptional ?? false,
    inherit: description.inherit ?? [],
    maxLayers: maxLayersOf(description),
    created: rfc3339(created, surroundings),
    ownership: ownershipOf(description, Date.parse(rfc3339(mtime, surroundings))),
    permissions: readPermissions(description),
    platform: platformOf(description, surroundings),
    layering: layeringOf(description),
    explicitLayers: explicitLayersOf(description),
    minLayerSize: description.minLayerSize ?? 0,
    warnings: [...warnNow('created', created), ...warnNow('mtime', mtime)],
  };
}

function asList(texts: string | readonly string[]): readonly string[] {
  return typeof texts === 'string' ? [texts] : texts;
}

/** `labels` win over those in `config`, and both over what the image is `about`. */
function withLabels({ config = {}, labels = {}, about = {} }: ImageDescription): JsonObject {
  if (Object.keys({ ...labels, ...about }).length === 0) return config;
  const own = config['Labels'] ?? {};
  if (!isJsonObject(own)) throw new PhylloError('IMAGE_INVALID', 'config.Labels must be an object');
  return { ...config, Labels: { ...aboutKeys(about), ...own, ...labels } };
}

function commandsOf(description: ImageDescription): CustomisationCommands {
  const { extraCommands = '', fakeRootCommands = '', enableFakechroot = false } = description;
  return {
    extra: extraCommands.trim() === '' ? '' : extraCommands,
    fakeRoot: fakeRootCommands.trim() === '' ? '' : fakeRootCommands,
    chroot: enableFakechroot,
  };
}

/** A pipeline divides as it was written: only a limit that was asked for holds it to something. */
function maxLayersOf({ maxLayers, layeringPipeline }: ImageDescription): number {
  const hasPipeline = layeringPipeline !== undefined && layeringPipeline !== null;
  return maxLayers ?? (hasPipeline ? MAX_LAYERS_ANYWHERE : DEFAULT_MAX_LAYERS);
}

/** A pipeline wins over a name, as in dockerTools. */
function layeringOf({ layering = 'steady', layeringPipeline }: ImageDescription): Layering {
  if (layeringPipeline !== undefined && layeringPipeline !== null)
    return { kind: 'pipeline', pipeline: layeringPipeline };
  if (layering === 'steady' || layering === 'popularity' || layering === 'auto') return { kind: layering };
  throw new PhylloError('LAYERING_INVALID', `unknown layering ${JSON.stringify(layering)}`, {
    hint: 'layering is steady, popularity, auto, or a file PIPELINE.json',
  });
}

function explicitLayersOf({ layers = [] }: ImageDescription): readonly ExplicitLayer[] {
  return layers.map((layer) =>
    Array.isArray(layer) ? layer : { paths: layer.paths, closure: layer.closure ?? true },
  );
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
  const date = parseDate(text) ?? '';
  const fraction = /\.\d+/.exec(date)?.[0] ?? '';
  const moment = text === 'now' ? now : new Date(date.replace(fraction, ''));
  return `${moment.toISOString().slice(0, -'.000Z'.length)}${fraction}Z`;
}

function warnNow(field: string, value: string): string[] {
  return value === 'now' ? [`${field} is "now": the image differs from run to run`] : [];
}

function latin1(text: string): string {
  return Buffer.from(text).toString('latin1');
}
