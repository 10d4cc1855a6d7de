/** An image before its bytes exist, and its documents once the layers' digests are known. */
import type { LayerKey } from '../layer/layer-key.ts';
import type { LayerSource } from '../layer/layer-source.ts';
import type { StoredLayer } from '../layer/stored-layer.ts';
import type { ChangeRecord } from '../plan/change-record.ts';
import type { Blob, Descriptor, Repository } from './blob.ts';
import { encodeImageConfig, type History, type Platform } from './image-config.ts';
import { encodeManifest } from './image-manifest.ts';
import type { JsonObject } from './json.ts';
import { annotateLayers } from './layer-annotations.ts';

export interface Image {
  readonly platform: Platform;
  /** RFC 3339. */
  readonly created: string;
  readonly config: JsonObject;
  /** Of the manifest. */
  readonly annotations: Readonly<Record<string, string>>;
  /** Of the base image: what comes before the own layers' history. */
  readonly baseHistory: readonly JsonObject[];
  /** For the next image's plan. */
  readonly changes?: ChangeRecord | undefined;
  /** Bottom to top: base, store, customisation. */
  readonly layers: readonly ImageLayer[];
}

export interface ImageLayer {
  readonly kind: LayerSource['kind'];
  /** A name for people. */
  readonly label: string;
  readonly history: History;
  /** What it holds, in the order of its tar; of a layer of the base, what its history tells. None when absent. */
  readonly storePaths?: readonly string[];
  /** Undefined when its bytes are a function of more than a key can hold. */
  readonly key: LayerKey | undefined;
  /** A layer that exists as a blob keeps it, however other layers are compressed. */
  readonly blob?: StoredLayer;
  /** A registry that has this blob: another repository of it can mount it from there. */
  readonly origin?: Repository | undefined;
  /** Finds out what the layer is made of; the work is done once, and only for a layer whose bytes are needed. */
  prepare(options?: PrepareOptions): Promise<PreparedLayer>;
}

export interface PrepareOptions {
  /** Whether the layer's size must be known before its bytes are made: NARs are read for it. */
  readonly exact: boolean;
}

export interface PreparedLayer {
  readonly source: LayerSource;
  /** Bytes of its tar, exact unless `isEstimate`. */
  readonly size: number;
  readonly isEstimate?: boolean;
  /** One sentence each. */
  readonly warnings: readonly string[];
}

export interface ImageDocuments {
  /** Its digest is Docker's image ID. */
  readonly config: Blob;
  readonly manifest: Blob;
  /** Bottom to top. */
  readonly layers: readonly Descriptor[];
}

/** @param stored the image's layers, in their order */
export function describeImage(image: Image, stored: readonly StoredLayer[]): ImageDocuments {
  const config = encodeImageConfig({
    ...image,
    layers: stored.map(({ diffID }, i) => {
      const { kind, history } = image.layers[i] as ImageLayer;
      return { diffID, history: kind === 'base' ? undefined : history };
    }),
  });
  const layers = annotateLayers(
    stored.map(({ mediaType, digest, size }) => ({ mediaType, digest, size })),
    image.layers.map(({ storePaths = [] }) => storePaths),
  );
  return { config, manifest: encodeManifest(config, layers, image.annotations), layers };
}
