/** A layer as it is stored: its tar, and the blob that holds it. */
import type { Digest } from '../digest.ts';

export interface StoredLayer {
  /** sha256 of the uncompressed tar. */
  readonly diffID: Digest;
  /** Bytes of the uncompressed tar. */
  readonly tarSize: number;
  /** sha256 of the blob; the diff ID where it is not compressed. */
  readonly digest: Digest;
  /** Bytes of the blob. */
  readonly size: number;
  readonly mediaType: string;
}
