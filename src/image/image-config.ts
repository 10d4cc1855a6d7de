/**
 * The image's config: what runs, on which platform, of which layers.
 *
 * @see OCI image-spec v1.1, config.md
 */
import type { Digest } from '../digest.ts';
import { type ChangeRecord } from '../plan/change-record.ts';
import { changesComment } from '../plan/plan-document.ts';
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
  /** Of the base image, as it is. */
  readonly baseHistory: readonly JsonObject[];
  /** What the image tells the next one's plan: an entry of the history without a layer, which tools keep. */
  readonly changes?: ChangeRecord | undefined;
  /** Bottom to top; layers of the base image have no history of their own here. */
  readonly layers: readonly { readonly diffID: Digest; readonly history: History | undefined }[];
}

/** One layer's entry in the history. */
export interface History {
  readonly comment: string;
}

export function encodeImageConfig({
  created,
  platform,
  config,
  baseHistory,
  layers,
  changes,
}: ImageConfig): Blob {
  const own = layers.flatMap(({ history }) => history ?? []);
  const carried = changes === undefined ? [] : [changesComment(changes)];
  const record = carried.map((comment) => ({ created, created_by: 'phyllo', comment, empty_layer: true }));
  return jsonBlob({
    created,
    architecture: platform.architecture,
    ...(platform.variant === undefined ? {} : { variant: platform.variant }),
    os: platform.os,
    config,
    rootfs: { type: 'layers', diff_ids: layers.map((layer) => layer.diffID) },
    history: [
      ...baseHistory,
      ...own.map(({ comment }) => ({ created, created_by: 'phyllo', comment })),
      ...record,
    ],
  });
}

/**
 * A store layer's history: the store paths it holds, in nixpkgs' wording, because tools read it. The plan of an image is in
 * its config as registries and tools drop a layer's annotations.
 */
export function storeLayerHistory(storePaths: readonly string[]): History {
  return { comment: `store paths: [${storePaths.map((path) => `'${path}'`).join(', ')}]` };
}

/** The store paths in a history's comment, in the wording of nixpkgs and Phyllo: `store paths: ['/nix/store/…', …]`. */
export function storePathsOf(comment: string): readonly string[] {
  const [, list] = /^store paths: \[(.*)\]$/s.exec(comment) ?? [];
  return [...(list ?? '').matchAll(/'([^']*)'/g)].map(([, path]) => path as string);
}

export const CUSTOMISATION_HISTORY: History = { comment: 'customisation layer' };
