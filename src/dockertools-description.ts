/** An image of ours in the terms of nixpkgs' archive. */
import type { ImageSettings } from './image/image-settings.ts';
import { inOrderOf, type OrderedJson, parseOrderedJson } from './image/ordered-json.ts';
import { parsePythonDate } from './image/python-date.ts';
import type { Base } from './open-base.ts';
import type { LayerPlan } from './plan/layer-plan.ts';
import { type DockerToolsDescription, STORE_FILE_ENTRY } from './transport/dockertools-archive.ts';

export interface DescribeOptions {
  readonly base: Base;
  /** Bottom to top. */
  readonly storeLayers: readonly LayerPlan[];
}

/**
 * As nixpkgs' functions describe it to their streamer: the date in seconds, the config with its keys as they were written. The history
 * of the customisation layer names the derivation that made it, and here none did.
 */
export function describeForDockerTools(
  settings: ImageSettings,
  { base, storeLayers }: DescribeOptions,
): DockerToolsDescription {
  const { platform, created, ownership } = settings;
  return {
    created: parsePythonDate(created.replace(/\.\d+/, '')).text,
    architecture: platform.architecture,
    os: platform.os,
    config: configOf(settings, base),
    mtimeSeconds: ownership.mtimeSeconds,
    layers: [
      ...(base.image?.layers ?? []).map((layer) => ({ kind: 'base', layer }) as const),
      ...storeLayers.map(({ paths }) => ({ kind: 'own', paths: paths.map(({ path }) => path) }) as const),
      { kind: 'own', paths: [], entry: STORE_FILE_ENTRY },
    ],
  };
}

/** What is inherited is in the base's config already. */
function configOf({ configOrder }: ImageSettings, { config }: Base): OrderedJson {
  const value = parseOrderedJson(JSON.stringify(config));
  return configOrder === undefined ? value : inOrderOf(value, configOrder);
}
