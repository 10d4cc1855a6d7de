/**
 * What a manifest says of the image below.
 *
 * @see OCI image-spec v1.1, annotations.md, "Pre-Defined Annotation Keys"
 */
import { type Digest, isDigest } from '../digest.ts';
import { isJsonObject, parseJson } from './json.ts';

export const BASE_NAME = 'org.opencontainers.image.base.name';
export const BASE_DIGEST = 'org.opencontainers.image.base.digest';

export interface BaseName {
  /** With registry and tag or digest; undefined where it is in no registry. */
  readonly name: string | undefined;
  /** Of its manifest. */
  readonly digest: Digest;
}

export function baseAnnotations({ name, digest }: BaseName): Readonly<Record<string, string>> {
  return { [BASE_DIGEST]: digest, ...(name === undefined ? {} : { [BASE_NAME]: name }) };
}

/** Undefined where the manifest does not say, or says it wrongly. */
export function parseBaseAnnotations(manifest: Buffer): BaseName | undefined {
  const document = parseJson(manifest.toString('utf8'));
  const annotations = isJsonObject(document) ? document['annotations'] : undefined;
  if (!isJsonObject(annotations)) return undefined;
  const { [BASE_NAME]: name, [BASE_DIGEST]: digest } = annotations;
  if (typeof digest !== 'string' || !isDigest(digest)) return undefined;
  return { name: typeof name === 'string' ? name : undefined, digest };
}
