/**
 * Reads the documents of images that others made. Unknown fields are left alone; what is needed is checked.
 *
 * @see OCI image-spec v1.1, config.md, manifest.md, image-index.md; Docker image spec v1.2, "Combined Image JSON"
 */
import { z } from 'zod';
import { type Digest, isDigest } from '../digest.ts';
import { PhylloError, reasonOf } from '../errors.ts';
import type { Descriptor } from './blob.ts';
import { isJsonObject, type JsonObject, type JsonValue, parseJson } from './json.ts';

const digest = z.custom<Digest>(
  (value) => typeof value === 'string' && isDigest(value),
  'wanted sha256: and 64 hex digits',
);
const annotations = z.record(z.string(), z.string()).nullish();
const platform = z.object({
  architecture: z.string().default(''),
  os: z.string().default(''),
  variant: z.string().optional(),
});
const descriptor = z.object({
  mediaType: z.string().default(''),
  digest,
  size: z.number().int().nonnegative(),
  annotations,
  artifactType: z.string().nullish(),
});

const dockerManifest = z.array(
  z.object({
    Config: z.string().min(1),
    RepoTags: z.array(z.string()).nullish(),
    Layers: z.array(z.string()).nullish(),
  }),
);
const index = z.object({ manifests: z.array(descriptor.extend({ platform: platform.nullish() })) });
const manifest = z.object({
  mediaType: z.string().optional(),
  config: descriptor,
  layers: z.array(descriptor),
});
const imageConfig = platform.extend({
  rootfs: z.object({ diff_ids: z.array(digest).nullish() }).nullish(),
  history: z.array(z.record(z.string(), z.unknown())).nullish(),
});

/** An image in a docker archive. */
export interface DockerManifestEntry {
  /** Path in the archive. */
  readonly config: string;
  /** As written: `alpine:3`. */
  readonly repoTags: readonly string[];
  /** Paths in the archive, bottom to top. */
  readonly layers: readonly string[];
}

export type IndexEntry = z.infer<typeof index>['manifests'][number];

export interface Manifest {
  /** '' when it does not say. */
  readonly mediaType: string;
  readonly config: Descriptor;
  /** Bottom to top. */
  readonly layers: readonly Descriptor[];
}

export interface ParsedImageConfig {
  /** The whole document; numbers as they were written. */
  readonly document: JsonObject;
  readonly platform: {
    readonly architecture: string;
    readonly os: string;
    readonly variant: string | undefined;
  };
  /** Bottom to top. */
  readonly diffIDs: readonly Digest[];
  /** Bottom to top, with entries that made no layer (`empty_layer`). */
  readonly history: readonly JsonObject[];
}

/** @throws PhylloError ARCHIVE_INVALID; `origin` says whose document it is */
export function parseDockerManifest(bytes: Buffer, origin: string): readonly DockerManifestEntry[] {
  return check(dockerManifest, { bytes, origin }).value.map(({ Config, RepoTags, Layers }) => ({
    config: Config,
    repoTags: RepoTags ?? [],
    layers: Layers ?? [],
  }));
}

/** @throws PhylloError ARCHIVE_INVALID */
export function parseIndex(bytes: Buffer, origin: string): readonly IndexEntry[] {
  return check(index, { bytes, origin }).value.manifests;
}

/** The whole document, with what is not looked at. @throws PhylloError ARCHIVE_INVALID */
export function parseIndexDocument(bytes: Buffer, origin: string): JsonObject {
  return check(index, { bytes, origin }).document;
}

/** @throws PhylloError ARCHIVE_INVALID */
export function parseManifest(bytes: Buffer, origin: string): Manifest {
  const { mediaType = '', config, layers } = check(manifest, { bytes, origin }).value;
  return { mediaType, config: toDescriptor(config), layers: layers.map(toDescriptor) };
}

/** The whole document, with what is not looked at. @throws PhylloError ARCHIVE_INVALID */
export function parseManifestDocument(bytes: Buffer, origin: string): JsonObject {
  return check(manifest, { bytes, origin }).document;
}

/** @throws PhylloError ARCHIVE_INVALID */
export function parseImageConfig(bytes: Buffer, origin: string): ParsedImageConfig {
  const { value, document } = check(imageConfig, { bytes, origin });
  return {
    document,
    platform: { architecture: value.architecture, os: value.os, variant: value.variant },
    diffIDs: value.rootfs?.diff_ids ?? [],
    history: (value.history ?? []) as JsonObject[],
  };
}

interface Document {
  readonly bytes: Buffer;
  readonly origin: string;
}

function check<Schema extends z.ZodType>(
  schema: Schema,
  { bytes, origin }: Document,
): { readonly value: z.infer<Schema>; readonly document: JsonObject } {
  const document = readJson(bytes, origin);
  const result = schema.safeParse(document);
  if (result.success) return { value: result.data, document: isJsonObject(document) ? document : {} };
  const problems = result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw invalid(origin, problems.slice(0, 10).join('; '));
}

function readJson(bytes: Buffer, origin: string): JsonValue {
  try {
    return parseJson(bytes.toString('utf8'));
  } catch (cause) {
    throw invalid(origin, `not JSON: ${reasonOf(cause)}`, cause);
  }
}

/** What is said of a blob alone, without the platform. */
export function toDescriptor({
  mediaType,
  digest,
  size,
  annotations,
  artifactType,
}: z.infer<typeof descriptor>): Descriptor {
  return {
    mediaType,
    digest,
    size,
    ...(annotations ? { annotations } : {}),
    ...(artifactType ? { artifactType } : {}),
  };
}

function invalid(origin: string, problem: string, cause?: unknown): PhylloError {
  return new PhylloError('ARCHIVE_INVALID', `${origin} is malformed: ${problem}`, { cause });
}
