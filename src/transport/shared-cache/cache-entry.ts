/**
 * What is known of a layer, as a small OCI artifact that any registry keeps: an image manifest whose annotations say it all, so that one
 * request reads it. Pure.
 *
 * An entry names the key that it is about and is signed as a whole: one that was moved to another tag, or changed, is not believed.
 *
 * @see OCI image-spec v1.1, manifest.md, "Guidelines for Artifact Usage"
 */
import { createHash } from 'node:crypto';
import { type Digest, isDigest } from '../../digest.ts';
import { encodeArtifact } from '../../image/artifact.ts';
import type { Blob } from '../../image/blob.ts';
import { isJsonObject, parseJson } from '../../image/json.ts';
import type { CachedLayer } from '../../layer/digest-cache.ts';
import type { LayerKey } from '../../layer/layer-key.ts';
import { isSignedBy, type PublicKey, type SecretKey, signText } from '../../store/signing-key.ts';

export const CACHE_ARTIFACT_TYPE = 'application/vnd.phyllo.layer-digest.v1';
const ENTRY = 'dev.phyllo.layer-digest';
const SIGNATURE = 'dev.phyllo.signature';

/** One layer as one encoder makes it. */
export interface CacheEntryName {
  readonly key: LayerKey;
  /** Undefined: not compressed. */
  readonly encoder: string | undefined;
}

const MAX_WARNINGS = 1000;
const MAX_WARNING_LENGTH = 4096;

/** The same for everybody who looks for the entry. @see OCI distribution-spec v1.1, "Pulling manifests" */
export function tagOf({ key, encoder }: CacheEntryName): string {
  return `phyllo-${createHash('sha256')
    .update(`${key}\n${encoder ?? 'none'}`)
    .digest('hex')}`;
}

/** @param layer with the blob of the encoder, if there is one */
export function encodeEntry(name: CacheEntryName, layer: CachedLayer, signer: SecretKey | undefined): Blob {
  const { diffID, tarSize, blobs, warnings } = layer;
  const blob = name.encoder === undefined ? undefined : blobs[name.encoder];
  const text = JSON.stringify({
    ...name,
    diffID,
    tarSize,
    ...(blob === undefined ? {} : { blob }),
    warnings,
  });
  return encodeArtifact({
    artifactType: CACHE_ARTIFACT_TYPE,
    blobs: [],
    annotations: { [ENTRY]: text, ...(signer === undefined ? {} : { [SIGNATURE]: signText(text, signer) }) },
  });
}

/**
 * Undefined for whatever is not the entry that was asked for.
 * @param trusted whose signatures count; undefined: none is needed
 */
export function decodeEntry(
  bytes: Uint8Array,
  name: CacheEntryName,
  trusted: readonly PublicKey[] | undefined,
): CachedLayer | undefined {
  const annotations = field(parse(Buffer.from(bytes).toString('utf8')), 'annotations');
  const [text, signature] = [field(annotations, ENTRY), field(annotations, SIGNATURE)];
  if (typeof text !== 'string') return undefined;
  const signatures = typeof signature === 'string' ? [signature] : [];
  if (trusted !== undefined && !isSignedBy(text, { signatures, keys: trusted })) return undefined;
  return readLayer(parse(text), name);
}

function readLayer(entry: unknown, { key, encoder }: CacheEntryName): CachedLayer | undefined {
  const [diffID, tarSize, blob] = [field(entry, 'diffID'), field(entry, 'tarSize'), field(entry, 'blob')];
  const warnings = field(entry, 'warnings');
  if (field(entry, 'key') !== key || field(entry, 'encoder') !== encoder) return undefined;
  if (!isDigestText(diffID) || !isSize(tarSize) || !areWarnings(warnings)) return undefined;
  if (encoder === undefined) return { diffID, tarSize, blobs: {}, warnings };
  const [digest, size] = [field(blob, 'digest'), field(blob, 'size')];
  if (!isDigestText(digest) || !isSize(size)) return undefined;
  return { diffID, tarSize, blobs: { [encoder]: { digest, size } }, warnings };
}

function parse(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}

function field(value: unknown, name: string): unknown {
  return isJsonObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

function isDigestText(value: unknown): value is Digest {
  return typeof value === 'string' && isDigest(value);
}

function isSize(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** They are shown on terminals: nothing in them may steer one. */
function areWarnings(value: unknown): value is readonly string[] {
  return (
    Array.isArray(value) &&
    value.length <= MAX_WARNINGS &&
    value.every(
      (text) => typeof text === 'string' && text.length <= MAX_WARNING_LENGTH && !/\p{Cc}/u.test(text),
    )
  );
}
