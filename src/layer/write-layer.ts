/** Turns a layer into the bytes of its tar. */
import { readSync } from 'node:fs';
import { PhylloError, reasonOf } from '../errors.ts';
import { visitNar } from '../store/nar-tree.ts';
import { NarsAhead } from '../store/nars-ahead.ts';
import type { NarSource, TreeEntry } from '../store/tree.ts';
import { listingEntries } from '../store/tree-listing.ts';
import type { ChunkSink } from './chunk-sink.ts';
import { encodeGnuHeader } from './gnu-header.ts';
import {
  type BaseLayerSource,
  type CustomisationLayerSource,
  type LayerPath,
  type LayerSource,
  type ScannedPath,
  STORE_LAYER_PREFIX,
  type StoreLayerSource,
} from './layer-source.ts';
import { encodePaxHeader } from './pax-header.ts';
import { permissionsOf } from './permissions.ts';
import { storeMember } from './scan-path.ts';
import { TarStream } from './tar-stream.ts';
import { hasherFor, requireNarHash } from './verify-path.ts';

/**
 * Writes the layer's tar to `sink` and gives its size in bytes; each file is opened and read once.
 * @throws PhylloError FILE_CHANGED, FILE_UNREADABLE, NAR_INVALID, NAR_MISMATCH, and what the sink throws
 */
export async function writeLayer(layer: LayerSource, sink: ChunkSink): Promise<number> {
  if (layer.kind === 'base') return copyBaseLayer(layer, sink);
  const tar = new TarStream(sink);
  if (layer.kind === 'store') await writeStoreLayer(layer, tar);
  else writeCustomisationLayer(layer, tar);
  tar.finish();
  return tar.size;
}

function copyBaseLayer({ file, fd, offset, size }: BaseLayerSource, sink: ChunkSink): number {
  for (let copied = 0; copied < size;) {
    const { buffer } = sink;
    const read = readAt(fd, {
      file,
      buffer,
      length: Math.min(buffer.length, size - copied),
      offset: offset + copied,
    });
    sink.commit(read);
    copied += read;
  }
  return size;
}

async function writeStoreLayer({ paths, ownership }: StoreLayerSource, tar: TarStream): Promise<void> {
  for (const member of STORE_LAYER_PREFIX) tar.write(encodePaxHeader(member, ownership));
  await using ahead = new NarsAhead(paths.map(({ source }) => source));
  for (const path of paths) {
    ahead.reach(path.source);
    const permit = permissionsOf(path.permissions, ownership);
    const header = (entry: TreeEntry): Buffer => {
      const permitted = permit(storeMember(path.storePath, entry));
      return encodePaxHeader(permitted.member, permitted.ownership);
    };
    if (path.source.kind === 'nar') await writeNar(path, { source: path.source, header, tar });
    else writeDirectory(path as ScannedPath, { location: path.source.location, header, tar });
  }
}

/** The header blocks of an entry. */
type HeaderOf = (entry: TreeEntry) => Buffer;

function writeDirectory(
  path: ScannedPath,
  {
    location,
    header,
    tar,
  }: { readonly location: string; readonly header: HeaderOf; readonly tar: TarStream },
): void {
  const root = Buffer.from(location).toString('latin1');
  const hasher = hasherFor(path, root);
  const observe = hasher === undefined ? undefined : (bytes: Uint8Array): void => hasher.content(bytes);
  for (const entry of listingEntries(path.listing)) {
    tar.write(header(entry));
    hasher?.entry(entry);
    if (entry.kind !== 'file') continue;
    tar.file(entry.path === '' ? root : `${root}/${entry.path}`, entry.size, observe);
    hasher?.endFile(entry);
  }
  if (hasher !== undefined) requireNarHash(path, hasher);
}

/** A NAR's entries come with their contents; a listing tells what they were when the layer's size was computed. */
async function writeNar(
  { listing }: LayerPath,
  { source, header, tar }: { readonly source: NarSource; readonly header: HeaderOf; readonly tar: TarStream },
): Promise<void> {
  const expected = listing === undefined ? undefined : listingEntries(listing);
  await visitNar(source, {
    entry(entry) {
      tar.pad();
      if (expected !== undefined) checkListed(entry, { expected: expected.next().value, source });
      tar.write(header(entry));
    },
    data(chunk) {
      tar.write(chunk);
    },
  });
  tar.pad();
}

function checkListed(
  entry: TreeEntry,
  { expected, source }: { readonly expected: TreeEntry | undefined | void; readonly source: NarSource },
): void {
  if (JSON.stringify(entry) === JSON.stringify(expected)) return;
  throw new PhylloError('FILE_CHANGED', `${source.location} changed while its layer was made`, {
    hint: 'files of a binary cache must not be written to; run again',
  });
}

function writeCustomisationLayer({ members, mtimeSeconds }: CustomisationLayerSource, tar: TarStream): void {
  for (const member of members) {
    tar.write(encodeGnuHeader(member, { mtimeSeconds, uid: member.uid, gid: member.gid }));
    if (member.kind === 'file') tar.file(member.location, member.size);
  }
}

interface ReadRequest {
  readonly file: string;
  readonly buffer: Buffer;
  readonly length: number;
  readonly offset: number;
}

function readAt(fd: number, { file, buffer, length, offset }: ReadRequest): number {
  try {
    const read = readSync(fd, buffer, 0, length, offset);
    if (read > 0) return read;
  } catch (cause) {
    throw new PhylloError('FILE_UNREADABLE', `cannot read ${file}: ${reasonOf(cause)}`, { cause });
  }
  throw new PhylloError('FILE_CHANGED', `${file} ends before its last layer does`, {
    hint: 'it was written to; run again',
  });
}
