/**
 * The image's config: what runs, on which platform, of which layers.
 *
 * @see OCI image-spec v1.1, config.md
 */
import type { Digest } from '../digest.ts';
import { type Blob, jsonBlob } from './blob.ts';
import type { JsonObject } from './json.ts';

export interface Platform {
  readonly architecture: string;
  readonly variant: string | undefined;
  readonly os: string;
}

export interface ImageConfig {
  /** RFC 3339. */
  readonly created: string;
  readonly platform: Platform;
  /** Passed through as it is. */
  readonly config: JsonObject;
  /** Bottom to top. */
  readonly layers: readonly { readonly diffID: Digest; readonly history: History }[];
}

/** One layer's entry in the history. */
export interface History {
  readonly comment: string;
}

export function encodeImageConfig({ created, platform, config, layers }: ImageConfig): Blob {
  return jsonBlob({
    created,
    architecture: platform.architecture,
    ...(platform.variant === undefined ? {} : { variant: platform.variant }),
    os: platform.os,
    config,
    rootfs: { type: 'layers', diff_ids: layers.map((layer) => layer.diffID) },
    history: layers.map((layer) => ({ created, created_by: 'phyllo', comment: layer.history.comment })),
  });
}

/**
 * A store layer's history: the store paths it holds, in nixpkgs' wording, because tools read it. The plan of an image is in
 * its config as registries and tools drop a layer's annotations.
 */
export function storeLayerHistory(storePaths: readonly string[]): History {
  return { comment: `store paths: [${storePaths.map((path) => `'${path}'`).join(', ')}]` };
}

export const CUSTOMISATION_HISTORY: History = { comment: 'customisation layer' };
