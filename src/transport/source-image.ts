/** An image that exists, as every kind of source describes it. */
import type { Digest } from '../digest.ts';
import type { Blob, Descriptor } from '../image/blob.ts';
import type { Platform } from '../image/image-config.ts';
import type { JsonObject } from '../image/json.ts';
import type { ForeignHeader } from '../layer/foreign-header.ts';
import type { LocateDaemon } from './daemon/daemon-address.ts';
import type { LayerContent } from './layer-content.ts';
import type { Registries } from './registry/registries.ts';
import { verified } from './verified.ts';

/** An image in an archive, a layout or a registry. Whoever opens it closes it; what it hands out is of no use afterwards. */
export interface SourceImage {
  /** For messages, as the user called it. */
  readonly origin: string;
  /** As they stand there: `alpine:3`, or a tag alone. */
  readonly names: readonly string[];
  readonly config: { readonly blob: Blob; readonly document: JsonObject };
  /** Undefined in a docker archive. */
  readonly manifest: { readonly blob: Blob; readonly mediaType: string } | undefined;
  readonly platform: Platform;
  /** Bottom to top. The same layer may be there more than once. */
  readonly layers: readonly SourceLayer[];
  /** The whole history, with entries that made no layer. */
  readonly history: readonly JsonObject[];
  /** Idempotent. */
  close(): void;
}

export interface SourceLayer {
  /** Of the layer as it is stored. */
  readonly descriptor: Descriptor;
  readonly diffID: Digest;
  /** Its entry in the history; undefined where the history does not tell. */
  readonly history: JsonObject | undefined;
  readonly content: LayerContent;
  /** Its member's name and header in a docker archive. */
  readonly member: { readonly path: string; readonly header: ForeignHeader | undefined } | undefined;
}

export interface PlatformChoice {
  readonly architecture?: string | undefined;
  readonly os?: string | undefined;
  readonly variant?: string | undefined;
}

export interface OpenImageOptions {
  /** The image must be for this platform. */
  readonly platform?: PlatformChoice;
  /** Which platform's image to take where there are several and none is asked for. */
  readonly preferred?: PlatformChoice;
  /** Those that `docker://` means. Stay open as long as the image. */
  readonly registries?: Registries | undefined;
  /** The engine that `docker-daemon:` means. */
  readonly daemon?: LocateDaemon | undefined;
  /** Stops the decompression of an archive, and downloads. */
  readonly signal?: AbortSignal;
}

/** What a kind of source makes of its files. */
export type ReadImage = Omit<SourceImage, 'origin' | 'close'>;

export interface OpenedImage {
  readonly image: ReadImage;
  /** Idempotent. */
  readonly close: () => void;
}

/**
 * The layer's stored bytes. What was read is verified only when the end is reached.
 * @throws PhylloError ARCHIVE_INVALID, FILE_UNREADABLE, NETWORK_FAILED
 */
export function readLayer({ descriptor, content }: SourceLayer): AsyncIterable<Uint8Array> {
  const { digest, size } = descriptor;
  return verified(content.chunks(), { digest, size, what: `the layer ${digest} of ${content.origin}` });
}

/** Whether a platform is one that was asked for; what is not asked for is free. */
export function isPlatform(
  { architecture, os, variant }: PlatformChoice | Platform,
  wanted: PlatformChoice,
): boolean {
  return (
    (wanted.architecture ?? architecture) === architecture &&
    (wanted.os ?? os) === os &&
    (wanted.variant ?? variant) === variant
  );
}

/** `linux/arm64/v8`, with `*` for what is not said. */
export function describePlatform({ os, architecture, variant }: PlatformChoice | Platform): string {
  return [os ?? '*', architecture ?? '*', ...(variant === undefined ? [] : [variant])].join('/');
}
