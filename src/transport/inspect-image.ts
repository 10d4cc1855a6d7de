/** What an image is, in a form to show. */
import type { Digest } from '../digest.ts';
import { type Platform, storePathsOf } from '../image/image-config.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../image/json.ts';
import { familiarName } from '../image/image-reference.ts';
import { referenceOf } from './image-names.ts';
import { manifestOf } from './images-archive.ts';
import type { SourceImage, SourceLayer } from './source-image.ts';

export interface ImageSummary {
  /** As Docker's users write them: `alpine:3`; a tag alone where a layout has no more. */
  readonly names: readonly string[];
  /** Digest of the config: what Docker calls the image ID. */
  readonly imageID: Digest;
  /** Of the manifest that it has, or that a copy would have. */
  readonly manifestDigest: Digest;
  readonly platform: Platform;
  /** As written; undefined where the config has none. */
  readonly created: string | undefined;
  readonly config: JsonObject;
  /** Bytes of all layers as they are stored. */
  readonly size: number;
  /** Bottom to top. */
  readonly layers: readonly LayerSummary[];
}

export interface LayerSummary {
  readonly digest: Digest;
  readonly diffID: Digest;
  readonly mediaType: string;
  /** Bytes as stored. */
  readonly size: number;
  /** As the history tells; empty where it does not. */
  readonly storePaths: readonly string[];
  /** What made it, as the history tells. */
  readonly comment: string | undefined;
}

export function inspectImage(image: SourceImage): ImageSummary {
  const { config, created } = image.config.document;
  return {
    names: [...new Set(image.names.map(familiar))],
    imageID: image.config.blob.digest,
    manifestDigest: manifestOf(image).digest,
    platform: image.platform,
    created: textOf(created),
    config: isJsonObject(config) ? config : {},
    size: image.layers.reduce((sum, { descriptor }) => sum + descriptor.size, 0),
    layers: image.layers.map(summariseLayer),
  };
}

function familiar(name: string): string {
  const reference = referenceOf(name);
  return reference === undefined ? name : familiarName(reference);
}

function summariseLayer({ descriptor, diffID, history }: SourceLayer): LayerSummary {
  const comment = textOf(history?.['comment']) || textOf(history?.['created_by']);
  const { digest, mediaType, size } = descriptor;
  return { digest, diffID, mediaType, size, storePaths: storePathsOf(comment ?? ''), comment };
}

function textOf(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
