/** Where the documents and layers of images are: in a layout, or in a registry. */
import { digestHex } from '../digest.ts';
import { PhylloError } from '../errors.ts';
import type { Blob, Descriptor } from '../image/blob.ts';
import type { FileSlice } from './file-slice.ts';
import type { ImageFiles } from './image-files.ts';
import { fileContent, type LayerContent } from './layer-content.ts';
import { readDocument } from './verified.ts';

export interface OciBlobs {
  /** For messages. */
  readonly name: string;
  /**
   * A manifest or an index, verified.
   * @throws PhylloError ARCHIVE_INVALID, FILE_UNREADABLE, and what a registry's client throws
   */
  manifest(descriptor: Descriptor): Promise<Blob>;
  /** A small blob, verified. @throws as manifest */
  config(descriptor: Descriptor): Promise<Blob>;
  /** A blob that is as large as it likes. @throws PhylloError ARCHIVE_INVALID where it is known to be missing, or of another size */
  layer(descriptor: Descriptor): LayerContent;
}

/** @param files stay open, and are closed by whoever opened them after the last use */
export function layoutBlobs(files: ImageFiles): OciBlobs {
  const document = (descriptor: Descriptor, what: string): Promise<Blob> => {
    const place = placeOf(files, { descriptor, what });
    return Promise.resolve(readDocument(place, `${what} ${descriptor.digest} of ${files.name}`, descriptor));
  };
  return {
    name: files.name,
    manifest: async (descriptor) => await document(descriptor, 'the manifest'),
    config: async (descriptor) => await document(descriptor, 'the config'),
    layer: (descriptor) => fileContent(placeOf(files, { descriptor, what: 'the layer' })),
  };
}

function placeOf(
  files: ImageFiles,
  { descriptor: { digest, size }, what }: { readonly descriptor: Descriptor; readonly what: string },
): FileSlice {
  const place = files.find(`blobs/sha256/${digestHex(digest)}`)?.content;
  if (place === undefined)
    throw new PhylloError('ARCHIVE_INVALID', `${files.name} lacks ${what} ${digest}`, {
      hint: 'the image is not whole: copy it again',
    });
  if (place.size === size) return place;
  throw new PhylloError(
    'ARCHIVE_INVALID',
    `${what} ${digest} of ${files.name} has ${place.size} bytes instead of ${size}`,
    { hint: 'the image is damaged: copy it again' },
  );
}
