/** Where the blobs of one image's layers go: what `deliver` needs to know of a destination. */
import type { ImageDocuments } from '../image/image.ts';
import type { FilePosition } from '../layer/chunk-sink.ts';
import type { StoredLayer } from '../layer/stored-layer.ts';

/** One image on its way to one destination. Whoever opens it must `commit` or `discard`. */
export interface BlobTarget {
  /** Whether the destination has the blob, so that it need not be made. */
  has(layer: StoredLayer): Promise<boolean>;
  /**
   * Where the bytes of the image's `index`th layer go. Of layers whose blobs have unknown sizes, only one may be open at a time, and
   * they must be opened in order, unless `anyOrder`.
   */
  open(index: number): Promise<FilePosition>;
  /** Called when all bytes of an opened layer are written. */
  close(index: number, layer: StoredLayer): Promise<void>;
  readonly anyOrder: boolean;
  /** Makes the image appear. @param layers of the image, bottom to top */
  commit(documents: ImageDocuments, layers: readonly StoredLayer[]): Promise<void>;
  /** Removes what was written and did not appear. Idempotent; after `commit` it does nothing. */
  discard(): Promise<void>;
}
