/** An archive as a file: layers are written to their places, the headers and documents follow. */
import type { Image, ImageDocuments } from '../image/image.ts';
import type { ImageReference } from '../image/image-reference.ts';
import { writeFully } from '../layer/chunk-sink.ts';
import type { StoredLayer } from '../layer/stored-layer.ts';
import {
  blobHeader,
  encodeDocuments,
  layoutArchive,
  memberEnd,
  ROOMY_HEADER_SIZE,
  roomyBlobHeader,
} from './archive-layout.ts';
import type { BlobTarget, CloseOutcome, FilePlace } from './blob-target.ts';
import { PendingFile } from './pending-file.ts';

export interface ArchiveFileOptions {
  readonly image: Image;
  readonly reference: ImageReference;
  /** Bytes of each layer's blob, bottom to top, where they are known before the blobs are made. */
  readonly sizes: readonly number[] | undefined;
}

export class ArchiveFile implements BlobTarget {
  readonly takes = 'files';
  readonly anyOrder: boolean;
  readonly #file: PendingFile;
  readonly #options: ArchiveFileOptions;
  /** Where each layer's content begins. */
  readonly #contents: number[];
  /** Where the next member begins, while sizes are not known. */
  #end = 0;

  private constructor(file: PendingFile, options: ArchiveFileOptions) {
    this.#file = file;
    this.#options = options;
    const layout = options.sizes === undefined ? undefined : layoutArchive(options.sizes);
    this.anyOrder = layout !== undefined;
    this.#contents = [...(layout?.contents ?? [])];
    this.#end = layout?.documents ?? 0;
  }

  /** @throws PhylloError DESTINATION_UNWRITABLE */
  static async create(file: string, options: ArchiveFileOptions): Promise<ArchiveFile> {
    return new ArchiveFile(await PendingFile.create(file), options);
  }

  /** An archive is written whole. */
  async has(): Promise<boolean> {
    return false;
  }

  async open(index: number): Promise<FilePlace> {
    if (!this.anyOrder) this.#contents[index] = this.#end + ROOMY_HEADER_SIZE;
    return {
      kind: 'file',
      file: this.#file.file,
      fd: this.#file.fd,
      offset: this.#contents[index] as number,
    };
  }

  async close(index: number, { digest, size }: StoredLayer): Promise<CloseOutcome> {
    const header = this.anyOrder ? blobHeader({ digest, size }) : roomyBlobHeader({ digest, size });
    const content = this.#contents[index] as number;
    writeFully(this.#file, header, content - header.length);
    if (!this.anyOrder) this.#end = memberEnd(content, size);
    return 'done';
  }

  async commit(documents: ImageDocuments): Promise<void> {
    const { image, reference } = this.#options;
    const bytes = encodeDocuments(documents, { image, reference, offset: this.#end });
    writeFully(this.#file, bytes, this.#end);
    await this.#file.commit();
  }

  async discard(): Promise<void> {
    await this.#file.discard();
  }
}
