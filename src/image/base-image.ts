/**
 * What an image takes over from its base: layers below its own, variables, and other fields of the config that are asked for.
 * Pure.
 *
 * @see nixpkgs dockerTools, `fromImage`; OCI image-spec v1.1, config.md
 */
import { PhylloError } from '../errors.ts';
import { isJsonObject, type JsonObject, type JsonValue } from './json.ts';

/** Fields of a base's config that can be inherited. `Env` always is. */
export const INHERITABLE_FIELDS = [
  'Cmd',
  'Entrypoint',
  'ExposedPorts',
  'Healthcheck',
  'Labels',
  'OnBuild',
  'Shell',
  'StopSignal',
  'User',
  'Volumes',
  'WorkingDir',
] as const;

export type InheritableField = (typeof INHERITABLE_FIELDS)[number];

export interface InheritOptions {
  /** The base's whole config document; its `config` may be missing or null. */
  readonly base: JsonObject;
  /** None unless given. */
  readonly inherit?: readonly InheritableField[];
}

/**
 * The image's own `config` with what it inherits: the base's variables come first, an own value takes the place of the base's,
 * other own ones follow. Of the fields asked for, objects (`Labels`, `Volumes`, `ExposedPorts`) are joined, own entries first in rank; others are
 * taken where the own config has none. An own `Entrypoint` keeps the base's `Cmd` out, as in a Dockerfile.
 *
 * null is the same as nothing, in both configs.
 * @throws PhylloError ARCHIVE_INVALID, IMAGE_INVALID when an `Env` is no list of texts
 */
export function inheritConfig(own: JsonObject | null, { base, inherit = [] }: InheritOptions): JsonObject {
  const baseConfig = isJsonObject(base['config']) ? base['config'] : {};
  const ownConfig = own ?? {};
  const env = mergeEnv(
    envOf(baseConfig, { code: 'ARCHIVE_INVALID', whose: "the base image's" }),
    envOf(ownConfig, { code: 'IMAGE_INVALID', whose: "the image's own" }),
  );
  return {
    ...inheritedFields(ownConfig, { baseConfig, inherit }),
    ...(env.length === 0 ? {} : { Env: env }),
  };
}

/** A variable keeps its first place and has its last value. Entries are `NAME=VALUE`, or a name alone. */
export function mergeEnv(base: readonly string[], own: readonly string[]): string[] {
  const byName = new Map<string, string>();
  for (const entry of [...base, ...own]) byName.set(entry.split('=', 1)[0] as string, entry);
  return [...byName.values()];
}

/**
 * The history entries below an image's own: the base's, as they are. Where the base's history does not fit its layers, each layer
 * gets an entry that says where it comes from.
 */
export function baseHistory({
  history,
  layers,
  names,
}: {
  readonly history: readonly JsonObject[];
  readonly layers: readonly unknown[];
  /** The base's names, for layers without a history. */
  readonly names: readonly string[];
}): readonly JsonObject[] {
  const withLayer = history.filter((entry) => entry['empty_layer'] !== true);
  if (withLayer.length === layers.length) return history;
  return layers.map(() => ({ comment: `layer of the base image ${names[0] ?? ''}`.trim() }));
}

function inheritedFields(
  own: JsonObject,
  { baseConfig, inherit }: { readonly baseConfig: JsonObject; readonly inherit: readonly InheritableField[] },
): JsonObject {
  const fields: Record<string, JsonValue> = { ...own };
  for (const field of inherit) {
    const [below, above] = [baseConfig[field] ?? null, own[field] ?? null];
    if (below === null || (field === 'Cmd' && (own['Entrypoint'] ?? null) !== null)) continue;
    if (above === null) fields[field] = below;
    else if (isJsonObject(below) && isJsonObject(above) && field !== 'Healthcheck')
      fields[field] = { ...below, ...above };
  }
  return fields;
}

function envOf(
  config: JsonObject,
  { code, whose }: { readonly code: 'ARCHIVE_INVALID' | 'IMAGE_INVALID'; readonly whose: string },
): readonly string[] {
  const env = config['Env'] ?? [];
  if (Array.isArray(env) && env.every((entry) => typeof entry === 'string')) return env;
  throw new PhylloError(code, `${whose} config.Env is not a list of texts`);
}
