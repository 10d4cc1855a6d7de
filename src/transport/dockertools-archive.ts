/**
 * The archive that nixpkgs' streamer writes, byte for byte.
 *
 * | member | header |
 * |---|---|
 * | base layers, under the paths they had | as they were read, in PAX form |
 * | `DIGEST/layer.tar` of each store layer | 0644, no owner, the image's mtime |
 * | `DIGEST/layer.tar` of the customisation layer | mode and owner as given: the reference shows its file's on disk |
 * | `DIGEST.json` (the config), `manifest.json` | 0644, no owner, the image's mtime |
 *
 * As in archive-layout.ts, places follow from sizes alone: layers are written side by side, and what holds a digest follows.
 *
 * @see nixpkgs, pkgs/build-support/docker/stream_layered_image.py
 */
import { type Digest, digestHex } from '../digest.ts';
import type { Blob } from '../image/blob.ts';
import { encodeDockerToolsConfig, encodeDockerToolsManifest } from '../image/dockertools-documents.ts';
import type { OrderedJson } from '../image/ordered-json.ts';
import { encodeForeignHeader, type ForeignHeader } from '../layer/foreign-header.ts';
import { BLOCK_SIZE, roundUp, tarSize } from '../layer/tar-member.ts';
import type { ArchiveLayout } from './archive-layout.ts';
import type { SourceLayer } from './source-image.ts';

export interface DockerToolsImage {
  /** As Python's `isoformat` prints it: python-date.ts. */
  readonly created: string;
  readonly architecture: string;
  readonly os: string;
  /** What it inherits is in it: inheritOrderedEnv. */
  readonly config: OrderedJson;
  /** `NAME:TAG`, whatever it is. */
  readonly repoTag: string;
  readonly mtimeSeconds: number;
  /** Bottom to top. */
  readonly layers: readonly DockerToolsLayer[];
}

/** An image whose layers' sizes and name are not known yet. */
export interface DockerToolsDescription extends Omit<DockerToolsImage, 'repoTag' | 'layers'> {
  readonly layers: readonly (DockerToolsBaseLayer | Omit<DockerToolsOwnLayer, 'size'>)[];
}

export type DockerToolsLayer = DockerToolsBaseLayer | DockerToolsOwnLayer;

export interface DockerToolsBaseLayer {
  readonly kind: 'base';
  readonly layer: SourceLayer;
}

export interface DockerToolsOwnLayer {
  readonly kind: 'own';
  /** Bytes of its tar. */
  readonly size: number;
  /** What the history names: its store paths; of the customisation layer, the path of the derivation that made it. */
  readonly paths: readonly string[];
  /** Of its member; a store layer's when absent. */
  readonly entry?: DockerToolsEntry;
}

/** How the reference shows the customisation layer's file. In a Nix store: 0444, root. */
export interface DockerToolsEntry {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly uname: string;
  readonly gname: string;
}

export const STORE_FILE_ENTRY: DockerToolsEntry = {
  mode: 0o444,
  uid: 0,
  gid: 0,
  uname: 'root',
  gname: 'root',
};

export interface DockerToolsDocuments {
  /** Its digest is the image ID. */
  readonly config: Blob;
  readonly manifest: Blob;
  /** Everything after the layers, the archive's end included. */
  readonly bytes: Buffer;
}

const PLAIN_ENTRY: DockerToolsEntry = { mode: 0o644, uid: 0, gid: 0, uname: '', gname: '' };
/** As long as every digest, so that a header's size is known before the digest is. */
const PLACEHOLDER = `sha256:${'0'.repeat(64)}` as Digest;

/** @param options.sizes bytes of all layers' tars, base layers included, bottom to top */
export function completeDockerTools(
  description: DockerToolsDescription,
  { sizes, repoTag }: { readonly sizes: readonly number[]; readonly repoTag: string },
): DockerToolsImage {
  const layers = description.layers.map((layer, i) =>
    layer.kind === 'base' ? layer : { ...layer, size: sizes[i] as number },
  );
  return { ...description, repoTag, layers };
}

export function layoutDockerTools(image: DockerToolsImage): ArchiveLayout {
  const headers: number[] = [];
  const contents: number[] = [];
  let at = 0;
  for (const [i, layer] of image.layers.entries()) {
    headers.push(at);
    contents.push(at + dockerToolsLayerHeader(image, { index: i, diffID: PLACEHOLDER }).length);
    at = (contents.at(-1) as number) + roundUp(sizeOf(layer), BLOCK_SIZE);
  }
  return { headers, contents, documents: at };
}

/** The header of the image's `index`th layer. Of a base layer's the diff ID is known and not looked at. */
export function dockerToolsLayerHeader(
  image: DockerToolsImage,
  { index, diffID }: { readonly index: number; readonly diffID: Digest },
): Buffer {
  const layer = image.layers[index] as DockerToolsLayer;
  if (layer.kind === 'own') {
    const { size, entry = PLAIN_ENTRY } = layer;
    return encodeForeignHeader(memberHeader(layerPath(layer, diffID), { ...image, size, entry }));
  }
  const { member, descriptor } = layer.layer;
  const { mtimeSeconds } = image;
  const own = memberHeader(layerPath(layer, diffID), {
    mtimeSeconds,
    size: descriptor.size,
    entry: PLAIN_ENTRY,
  });
  return encodeForeignHeader(member?.header === undefined ? own : named(member.header, own.name));
}

/** @param diffIDs of all layers, base layers included, bottom to top */
export function encodeDockerToolsDocuments(
  image: DockerToolsImage,
  diffIDs: readonly Digest[],
): DockerToolsDocuments {
  const layerPaths = image.layers.map((layer, i) => layerPath(layer, diffIDs[i] as Digest));
  const layers = image.layers.map((layer, i) => ({
    diffID: diffIDs[i] as Digest,
    paths: layer.kind === 'own' ? layer.paths : [layerPaths[i] as string],
  }));
  const config = encodeDockerToolsConfig({ ...image, layers });
  const manifest = encodeDockerToolsManifest({ config: config.digest, repoTag: image.repoTag, layerPaths });
  const members = [
    ...encodeDocument(`${digestHex(config.digest)}.json`, { document: config, image }),
    ...encodeDocument('manifest.json', { document: manifest, image }),
  ];
  const { documents: offset } = layoutDockerTools(image);
  const length = members.reduce((sum, part) => sum + part.length, 0);
  return { config, manifest, bytes: Buffer.concat(members, tarSize(offset + length) - offset) };
}

/**
 * The archive as a stream. `content` gives a layer's bytes, which must be as many as the image says.
 * @param diffIDs of all layers, base layers included, bottom to top
 */
export async function* streamDockerTools(
  image: DockerToolsImage,
  {
    diffIDs,
    content,
  }: {
    readonly diffIDs: readonly Digest[];
    readonly content: (index: number) => AsyncIterable<Uint8Array>;
  },
): AsyncGenerator<Uint8Array, void, undefined> {
  for (const [index, layer] of image.layers.entries()) {
    yield dockerToolsLayerHeader(image, { index, diffID: diffIDs[index] as Digest });
    yield* content(index);
    const size = sizeOf(layer);
    yield Buffer.alloc(roundUp(size, BLOCK_SIZE) - size);
  }
  yield encodeDockerToolsDocuments(image, diffIDs).bytes;
}

/** A base layer keeps the path it had. */
function layerPath(layer: DockerToolsLayer, diffID: Digest): string {
  if (layer.kind === 'own') return `${digestHex(diffID)}/layer.tar`;
  return layer.layer.member?.path ?? `${digestHex(layer.layer.diffID)}/layer.tar`;
}

function sizeOf(layer: DockerToolsLayer): number {
  return layer.kind === 'own' ? layer.size : layer.layer.descriptor.size;
}

/** A layer that was a link to another gets the other's header, so that the archive is whole; the reference writes it empty. */
function named(header: ForeignHeader, name: string): ForeignHeader {
  if (header.name === name) return header;
  const pax = new Map(header.pax);
  pax.delete('path');
  return { ...header, name, pax };
}

function encodeDocument(
  name: string,
  { document, image }: { readonly document: Blob; readonly image: DockerToolsImage },
): Buffer[] {
  const size = document.bytes.length;
  const { mtimeSeconds } = image;
  const header = memberHeader(name, { mtimeSeconds, size, entry: PLAIN_ENTRY });
  return [encodeForeignHeader(header), document.bytes, Buffer.alloc(roundUp(size, BLOCK_SIZE) - size)];
}

function memberHeader(
  name: string,
  {
    mtimeSeconds,
    size,
    entry,
  }: { readonly mtimeSeconds: number; readonly size: number; readonly entry: DockerToolsEntry },
): ForeignHeader {
  return {
    name: latin1(name),
    mode: entry.mode,
    uid: entry.uid,
    gid: entry.gid,
    uname: latin1(entry.uname),
    gname: latin1(entry.gname),
    size,
    mtimeSeconds,
    type: '0',
    linkName: '',
    devMajor: 0,
    devMinor: 0,
    pax: new Map(),
  };
}

/** Names in a tar are bytes. */
function latin1(text: string): string {
  return Buffer.from(text).toString('latin1');
}
