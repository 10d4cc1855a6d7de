/** A bill of materials, before it is written in one of the formats. Pure. */
import type { Digest } from '../digest.ts';
import type { BaseName } from '../image/base-annotations.ts';
import type { Platform } from '../image/image-config.ts';
import type { ImageReference } from '../image/image-reference.ts';
import type { PathInfo } from '../store/store.ts';
import type { StorePath } from '../store/store-path.ts';

export interface Bill {
  readonly subject: ImageSubject | PathsSubject;
  /** RFC 3339, in UTC, in whole seconds. */
  readonly created: string;
  /** Ascending by path, each once. */
  readonly parts: readonly BillPart[];
}

export interface ImageSubject {
  readonly kind: 'image';
  readonly reference: ImageReference | undefined;
  /** Of the manifest; undefined where there is none. */
  readonly digest: Digest | undefined;
  /** Digest of the config. */
  readonly imageID: Digest;
  readonly platform: Platform;
  /** The image below. */
  readonly base: BaseName | undefined;
}

export interface PathsSubject {
  readonly kind: 'paths';
  /** At least one. */
  readonly roots: readonly StorePath[];
}

export interface BillPart {
  readonly path: StorePath;
  /** The layer that it is in, where the subject is an image. */
  readonly layer: Digest | undefined;
  /** Undefined: nobody knows. */
  readonly info: Pick<PathInfo, 'narHash' | 'narSize'> | undefined;
  /** Paths of the bill other than itself, ascending; undefined: nobody knows. */
  readonly references: readonly StorePath[] | undefined;
}

export interface PartSource {
  readonly path: StorePath;
  readonly layer?: Digest | undefined;
  /** What a store knows of it. */
  readonly info?: PathInfo | undefined;
}

/** @param sources in any order; of a path that is there twice, the first one counts */
export function billParts(sources: Iterable<PartSource>): readonly BillPart[] {
  const byPath = new Map<StorePath, PartSource>();
  for (const source of sources) if (!byPath.has(source.path)) byPath.set(source.path, source);
  return [...byPath.values()].sort(byPathAscending).map(({ path, layer, info }) => ({
    path,
    layer,
    info,
    references: info?.references.filter((other) => other !== path && byPath.has(other)).sort(),
  }));
}

/** What the subject depends on itself: the paths that were asked for; of an image, those that no other path refers to. */
export function directParts({ subject, parts }: Bill): readonly StorePath[] {
  if (subject.kind === 'paths') return subject.roots;
  const referred = new Set(parts.flatMap(({ references }) => references ?? []));
  return parts.flatMap(({ path }) => (referred.has(path) ? [] : [path]));
}

function byPathAscending({ path: left }: PartSource, { path: right }: PartSource): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}
