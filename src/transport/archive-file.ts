/** Archives as files: workers write their layers side by side into place, the headers and documents follow. */
import type { LayerDigest } from '../layer/layer-source.ts';
import { type FilePosition, writeFully } from '../layer/chunk-sink.ts';
import type { Image, ImageDocuments } from '../image/image.ts';
import type { ImageReference } from '../image/image-reference.ts';
import { type ArchiveLayout, encodeDocuments, layerHeader } from './archive-layout.ts';
import { PendingFile } from './pending-file.ts';

export class ArchiveFile {
  readonly #file: PendingFile;
  readonly #layout: ArchiveLayout;
  readonly #reference: ImageReference;

  private constructor(
    file: PendingFile,
    { layout, reference }: { layout: ArchiveLayout; reference: ImageReference },
  ) {
    this.#file = file;
    this.#layout = layout;
    this.#reference = reference;
  }

  /**
   * Nothing appears under the name until `commit`; whoever creates it must call that or `discard`.
   * @throws PhylloError DESTINATION_UNWRITABLE
   */
  static async create(
    file: string,
    options: { readonly layout: ArchiveLayout; readonly reference: ImageReference },
  ): Promise<ArchiveFile> {
    return new ArchiveFile(await PendingFile.create(file), options);
  }

  /** Where the bytes of the image's `index`th layer go. */
  place(index: number): FilePosition {
    return { file: this.#file.file, fd: this.#file.fd, offset: this.#layout.contents[index] as number };
  }

  /**
   * Adds what the layers' bytes do not contain, and puts the file in its place.
   * @throws PhylloError DISK_FULL, DESTINATION_UNWRITABLE
   */
  async commit(
    documents: ImageDocuments,
    { image, digests }: { image: Image; digests: readonly LayerDigest[] },
  ): Promise<void> {
    const { headers, documents: offset } = this.#layout;
    for (const [i, { diffID, size }] of digests.entries()) {
      writeFully(this.#target, layerHeader({ digest: diffID, size }), headers[i] as number);
    }
    writeFully(
      this.#target,
      encodeDocuments(documents, { image, reference: this.#reference, offset }),
      offset,
    );
    await this.#file.commit();
  }

  /** Idempotent; after `commit` it does nothing. */
  async discard(): Promise<void> {
    await this.#file.discard();
  }

  get #target(): { readonly file: string; readonly fd: number } {
    return this.#file;
  }
}
