/** What the digest cache knows of an image's layers, and the comparison of what it claims with what was made. */
import { PhylloError } from '../errors.ts';
import type { ImageLayer } from '../image/image.ts';
import { LAYER_MEDIA_TYPES } from '../image/media-types.ts';
import type { DigestCache } from '../layer/digest-cache.ts';
import { type Compression, encoderFor } from '../layer/encoder.ts';
import type { StoredLayer } from '../layer/stored-layer.ts';

/** A layer as the cache knows it, and what making it had to say. */
export interface KnownLayer extends StoredLayer {
  readonly warnings: readonly string[];
}

/** Undefined when the layer, or its blob by this encoder, was never made or is forgotten. */
export function findKnown(
  { key, blob }: ImageLayer,
  { cache, compression }: { readonly cache: DigestCache; readonly compression: Compression },
): KnownLayer | undefined {
  if (blob !== undefined) return { ...blob, warnings: [] };
  const entry = key === undefined ? undefined : cache.find(key);
  if (entry === undefined) return undefined;
  const { diffID, tarSize, warnings } = entry;
  const mediaType = LAYER_MEDIA_TYPES[compression.kind];
  if (compression.kind === 'none')
    return { diffID, tarSize, digest: diffID, size: tarSize, mediaType, warnings };
  const encoded = entry.blobs[encoderFor(compression).id];
  return encoded === undefined ? undefined : { diffID, tarSize, ...encoded, mediaType, warnings };
}

export function remember(
  { key }: ImageLayer,
  made: KnownLayer,
  { cache, compression }: { readonly cache: DigestCache; readonly compression: Compression },
): void {
  if (key === undefined) return;
  const { diffID, tarSize, digest, size, warnings } = made;
  const blobs = compression.kind === 'none' ? {} : { [encoderFor(compression).id]: { digest, size } };
  cache.add(key, { diffID, tarSize, blobs, warnings });
}

/** @throws PhylloError LAYER_MISMATCH when the layer is not what it was known to be */
export function requireEqual(
  layer: ImageLayer,
  { made, known }: { readonly made: StoredLayer; readonly known: StoredLayer | undefined },
): void {
  if (known === undefined || (made.diffID === known.diffID && made.digest === known.digest)) return;
  if (layer.blob !== undefined) {
    throw new PhylloError(
      'ARCHIVE_INVALID',
      `a ${layer.history.comment} is damaged: it is ${made.digest}, and should be ${known.digest}`,
      {
        hint: 'make or download the base image again',
      },
    );
  }
  throw layerMismatch(layer, { made, known });
}

/**
 * The same for its tar alone: its blob by this encoder may be new.
 * @throws PhylloError LAYER_MISMATCH
 */
export function requireSameTar(
  layer: ImageLayer,
  { made, cache }: { readonly made: StoredLayer; readonly cache: DigestCache },
): void {
  const known = layer.key === undefined ? undefined : cache.find(layer.key);
  if (known !== undefined && known.diffID !== made.diffID) throw layerMismatch(layer, { made, known });
}

function layerMismatch(
  { history }: ImageLayer,
  { made, known }: Readonly<Record<'made' | 'known', Pick<StoredLayer, 'diffID'>>>,
): PhylloError {
  return new PhylloError(
    'LAYER_MISMATCH',
    `a layer is not what it was when its digest was learnt: ${made.diffID}, and was ${known.diffID} (${history.comment})`,
    {
      hint: 'a store path was changed in place (nix-store --verify --check-contents finds it), or two machines built it differently; with --no-cache the present bytes count',
    },
  );
}
