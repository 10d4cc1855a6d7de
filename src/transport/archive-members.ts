/** An archive but for its layers' bytes: what comes before each of them, and after the last. In one place for streams of all formats. */
import type { Image, ImageDocuments } from '../image/image.ts';
import type { ImageReference } from '../image/image-reference.ts';
import type { Compression } from '../layer/encoder.ts';
import type { StoredLayer } from '../layer/stored-layer.ts';
import {
  blobHeader,
  encodeDocuments,
  layoutArchive,
  memberEnd,
  ROOMY_HEADER_SIZE,
  roomyBlobHeader,
} from './archive-layout.ts';
import {
  dockerToolsLayerHeader,
  type DockerToolsImage,
  encodeDockerToolsDocuments,
} from './dockertools-archive.ts';

export interface ArchiveMembers {
  /** What comes before the bytes of the image's `index`th layer. */
  header(index: number, layer: StoredLayer): Buffer;
  /** Everything after the layers, the archive's end included. */
  readonly end: Buffer;
}

export interface MembersRequest {
  readonly image: Image;
  readonly documents: ImageDocuments;
  /** Those of the image's layers that are in the archive, in their order. */
  readonly stored: readonly StoredLayer[];
  /** Undefined: the image gets no name. */
  readonly reference: ImageReference | undefined;
  readonly compression: Compression;
}

/** Of the archive that loads everywhere. Where layers are compressed it has the headers of a file whose sizes were not known. */
export function archiveMembers({
  documents,
  stored,
  compression,
  ...request
}: MembersRequest): ArchiveMembers {
  const sizes = stored.map((layer) => layer.size);
  const isPlain = compression.kind === 'none';
  const offset = isPlain
    ? layoutArchive(sizes).documents
    : sizes.reduce((at, size) => memberEnd(at + ROOMY_HEADER_SIZE, size), 0);
  return {
    header: (_index, layer) => (isPlain ? blobHeader(layer) : roomyBlobHeader(layer)),
    end: encodeDocuments(documents, { ...request, offset }),
  };
}

/** Of nixpkgs' archive. */
export function dockerToolsMembers(image: DockerToolsImage, stored: readonly StoredLayer[]): ArchiveMembers {
  const diffIDs = stored.map(({ diffID }) => diffID);
  return {
    header: (index, { diffID }) => dockerToolsLayerHeader(image, { index, diffID }),
    end: encodeDockerToolsDocuments(image, diffIDs).bytes,
  };
}
