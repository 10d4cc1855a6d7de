/** Where the blobs of one image's layers go: what `deliver` needs to know of a destination. */
import type { ImageDocuments, ImageLayer } from '../image/image.ts';
import type { FilePosition } from '../layer/chunk-sink.ts';
import type { StoredLayer } from '../layer/stored-layer.ts';

/** Where a blob's bytes go: written to a file by whoever makes them, or handed to somebody who sends them. */
export type BlobPlace = FilePlace | StreamPlace;

export interface FilePlace extends FilePosition {
  readonly kind: 'file';
}

export interface StreamPlace {
  readonly kind: 'stream';
  /** Takes the blob's next bytes, and resolves when more are wanted. They must not be overwritten. */
  write(bytes: Uint8Array): Promise<void>;
}

/** `again`: the blob must be opened, made, and closed once more, with the same bytes. */
export type CloseOutcome = 'done' | 'again';

/** One image on its way to one destination. Whoever opens it must `commit` or `discard`. */
export interface BlobTarget {
  /** Told of the image before anything else, where all its digests are known: perhaps it is there already. */
  foresee?(documents: ImageDocuments): Promise<void>;
  /**
   * Whether the destination has the blob, so that it need not be made.
   * @param layer where the blob also is
   */
  has(blob: StoredLayer, layer?: Pick<ImageLayer, 'origin'>): Promise<boolean>;
  /**
   * Where the bytes of the image's `index`th layer go. Of layers whose blobs have unknown sizes, only one may be open at a time, and
   * they must be opened in order, unless `anyOrder`.
   * @param known what the blob will be, where that is known
   */
  open(index: number, known?: StoredLayer): Promise<BlobPlace>;
  /** Called when all bytes of an opened layer are written. */
  close(index: number, layer: StoredLayer): Promise<CloseOutcome>;
  readonly anyOrder: boolean;
  /** What its places are. */
  readonly takes: 'files' | 'chunks';
  /** Makes the image appear. @param layers of the image, bottom to top */
  commit(documents: ImageDocuments, layers: readonly StoredLayer[]): Promise<void>;
  /** Removes what was written and did not appear. Nobody writes any more. Idempotent; after `commit` it does nothing. */
  discard(): Promise<void>;
}
