/** nixpkgs' archive as a file: layers are written to their places, the headers and documents follow. */
import type { ImageDocuments } from '../image/image.ts';
import { writeFully } from '../layer/chunk-sink.ts';
import type { StoredLayer } from '../layer/stored-layer.ts';
import type { ArchiveLayout } from './archive-layout.ts';
import type { BlobTarget, CloseOutcome, FilePlace } from './blob-target.ts';
import {
  dockerToolsLayerHeader,
  type DockerToolsImage,
  encodeDockerToolsDocuments,
  layoutDockerTools,
} from './dockertools-archive.ts';
import { PendingFile } from './pending-file.ts';

export class DockerToolsFile implements BlobTarget {
  readonly takes = 'files';
  readonly anyOrder = true;
  readonly #file: PendingFile;
  readonly #image: DockerToolsImage;
  readonly #layout: ArchiveLayout;

  private constructor(file: PendingFile, image: DockerToolsImage) {
    this.#file = file;
    this.#image = image;
    this.#layout = layoutDockerTools(image);
  }

  /** @throws PhylloError DESTINATION_UNWRITABLE */
  static async create(file: string, image: DockerToolsImage): Promise<DockerToolsFile> {
    return new DockerToolsFile(await PendingFile.create(file), image);
  }

  /** An archive is written whole. */
  async has(): Promise<boolean> {
    return false;
  }

  async open(index: number): Promise<FilePlace> {
    return {
      kind: 'file',
      file: this.#file.file,
      fd: this.#file.fd,
      offset: this.#layout.contents[index] as number,
    };
  }

  async close(index: number, { diffID }: StoredLayer): Promise<CloseOutcome> {
    const header = dockerToolsLayerHeader(this.#image, { index, diffID });
    writeFully(this.#file, header, this.#layout.headers[index] as number);
    return 'done';
  }

  async commit(_documents: ImageDocuments, layers: readonly StoredLayer[]): Promise<void> {
    const diffIDs = layers.map(({ diffID }) => diffID);
    const { bytes } = encodeDockerToolsDocuments(this.#image, diffIDs);
    writeFully(this.#file, bytes, this.#layout.documents);
    await this.#file.commit();
  }

  async discard(): Promise<void> {
    await this.#file.discard();
  }
}
