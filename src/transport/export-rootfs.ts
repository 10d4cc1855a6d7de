/**
 * An image's flat root file system as one tar: layers on top of each other, whiteouts applied. The same image gives the same bytes.
 *
 * Contents are taken from where they are; of a compressed layer, from a temporary file without a name.
 */
import { encodeForeignHeader, type ForeignHeader } from '../layer/foreign-header.ts';
import { BLOCK_SIZE, roundUp, tarSize } from '../layer/tar-member.ts';
import { compressionOf, decompressed } from './decompress.ts';
import { type FileSlice, sliceChunks } from './file-slice.ts';
import { type FlatEntry, FlatTree } from './flat-tree.ts';
import type { SourceImage, SourceLayer } from './source-image.ts';
import { Spool } from './spool.ts';
import { readTar } from './tar-reader.ts';
import { verified } from './verified.ts';

export interface ExportOptions {
  readonly signal?: AbortSignal;
}

/**
 * Names have no `./` in front, the root directory itself is left out, directories end in a slash.
 * @throws PhylloError ARCHIVE_INVALID, FILE_UNREADABLE, and what a spool throws
 */
export async function* exportRootfs(
  image: SourceImage,
  options: ExportOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  using spools = new DisposableStack();
  const tree = new FlatTree();
  for (const layer of image.layers) tree.add(readTar(await plainTar(layer, { ...options, spools })));
  let size = 0;
  for (const entry of tree.entries()) {
    options.signal?.throwIfAborted();
    for await (const chunk of encodeEntry(entry)) {
      size += chunk.length;
      yield chunk;
    }
  }
  yield Buffer.alloc(tarSize(size) - size);
}

/** The layer's tar, verified. */
async function plainTar(
  layer: SourceLayer,
  { spools, ...options }: ExportOptions & { readonly spools: DisposableStack },
): Promise<FileSlice> {
  const { content, diffID: digest } = layer;
  const name = `the layer ${layer.descriptor.digest} of ${content.origin}`;
  const place = await content.slice();
  const chunks = verified(decompressed(place), { digest, what: name });
  if (compressionOf(place) !== 'none')
    return spools.use(await Spool.fill(chunks, { ...options, name })).slice;
  for await (const _ of chunks) options.signal?.throwIfAborted();
  return place;
}

async function* encodeEntry(entry: FlatEntry): AsyncGenerator<Uint8Array, void, undefined> {
  const { content, linkTo } = entry;
  yield encodeForeignHeader(headerOf(entry));
  if (linkTo !== undefined || content.size === 0) return;
  yield* sliceChunks(content);
  yield Buffer.alloc(roundUp(content.size, BLOCK_SIZE) - content.size);
}

function headerOf({ path, header, content, linkTo }: FlatEntry): ForeignHeader {
  const isLink = linkTo !== undefined;
  const type = /^[\0\x37]$/.test(header.type) ? '0' : header.type;
  return {
    ...header,
    name: path,
    type: isLink ? '1' : type,
    size: isLink ? 0 : content.size,
    linkName: linkTo ?? header.linkName,
    pax: new Map([...header.pax].filter(([keyword]) => isKept(keyword, isLink))),
  };
}

/** Extended attributes and fractions of a second; names, sizes and owners are written anew. */
function isKept(keyword: string, isLink: boolean): boolean {
  return !isLink && (keyword === 'mtime' || /^(SCHILY|LIBARCHIVE)\.xattr\./.test(keyword));
}
