/** A layer's stored bytes, wherever they are. */
import type { Repository } from '../image/blob.ts';
import { type FileSlice, sliceChunks } from './file-slice.ts';

/** Of no use when the image that it belongs to is closed. */
export interface LayerContent {
  /** Where it is, for messages. */
  readonly origin: string;
  /** Undefined unless a registry has it. */
  readonly repository: Repository | undefined;
  /** The bytes, each time from the beginning. Not verified: whoever takes them hashes them. */
  chunks(): AsyncIterable<Uint8Array>;
  /**
   * The bytes in a file. What is elsewhere is brought there, verified, by the first call, and stays until the image is closed.
   * @throws PhylloError NETWORK_FAILED, ARCHIVE_INVALID, DISK_FULL, DESTINATION_UNWRITABLE
   */
  slice(): Promise<FileSlice>;
}

export function fileContent(slice: FileSlice): LayerContent {
  return {
    origin: slice.file,
    repository: undefined,
    chunks: () => sliceChunks(slice),
    slice: () => Promise.resolve(slice),
  };
}
