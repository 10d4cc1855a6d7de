/**
 * One archive that loads everywhere: an OCI image layout and a docker archive in the same tar.
 *
 * | member | for |
 * |---|---|
 * | `blobs/sha256/…` of each layer, bottom to top | both |
 * | `blobs/sha256/…` of the config and the manifest | both, OCI |
 * | `oci-layout`, `index.json` | OCI |
 * | `manifest.json` | Docker |
 *
 * Layers come first: their sizes are known before their bytes are, so each one's place is, too, and they can be written side
 * by side. Everything that holds a digest comes after them.
 *
 * @see OCI image-spec v1.1, image-layout.md; Docker image spec v1.2, "Combined Image JSON"
 */
import { type Digest, digestHex } from '../digest.ts';
import type { Blob } from '../image/blob.ts';
import { type Image, type ImageDocuments } from '../image/image.ts';
import { encodeDockerManifest, encodeIndex, OCI_LAYOUT } from '../image/image-manifest.ts';
import type { ImageReference } from '../image/image-reference.ts';
import { encodeExtendedHeader, encodePaxHeader, paxHeaderSize, paxRecord } from '../layer/pax-header.ts';
import { BLOCK_SIZE, roundUp, tarSize, type TarMember, type TarOwnership } from '../layer/tar-member.ts';

export interface ArchiveLayout {
  /** Byte offset of each layer's member header. */
  readonly headers: readonly number[];
  /** Byte offset of each layer's content. */
  readonly contents: readonly number[];
  /** Where the documents begin. */
  readonly documents: number;
}

const OWNERSHIP: TarOwnership = { mtimeSeconds: 1, uid: 0, gid: 0, uname: '', gname: '' };
/** Bytes of a header with an extended one before it. */
export const ROOMY_HEADER_SIZE = 3 * BLOCK_SIZE;
/** As long as every digest, so that a header's size is known before the digest is. */
const PLACEHOLDER = `sha256:${'0'.repeat(64)}` as Digest;

/** @param sizes bytes of each layer, bottom to top */
export function layoutArchive(sizes: readonly number[]): ArchiveLayout {
  const headers: number[] = [];
  const contents: number[] = [];
  let at = 0;
  for (const size of sizes) {
    const content = at + blobHeaderSize(size);
    headers.push(at);
    contents.push(content);
    at = memberEnd(content, size);
  }
  return { headers, contents, documents: at };
}

/** The header of a blob's member. */
export function blobHeader({ digest, size }: { readonly digest: Digest; readonly size: number }): Buffer {
  return encodePaxHeader(blobMember(digest, size), OWNERSHIP);
}

/** The header of a blob whose size nobody knew when its place was chosen: as long for every size. */
export function roomyBlobHeader(blob: { readonly digest: Digest; readonly size: number }): Buffer {
  const header = blobHeader(blob);
  if (header.length === ROOMY_HEADER_SIZE) return header;
  return Buffer.concat([encodeExtendedHeader(Buffer.from(paxRecord('size', String(blob.size)))), header]);
}

/** Bytes of that header; more from 8 GiB up. */
export function blobHeaderSize(size: number): number {
  return paxHeaderSize(blobMember(PLACEHOLDER, size), OWNERSHIP);
}

/** Where a member ends whose content begins at `content`. */
export function memberEnd(content: number, size: number): number {
  return content + roundUp(size, BLOCK_SIZE);
}

/** Everything after the layers, the archive's end included. `offset` is where it begins. */
export function encodeDocuments(
  documents: ImageDocuments,
  {
    image,
    reference,
    offset,
  }: {
    readonly image: Image;
    /** Undefined: it gets no name. */
    readonly reference: ImageReference | undefined;
    readonly offset: number;
  },
): Buffer {
  const { config, manifest, layers } = documents;
  const dockerManifest = encodeDockerManifest({
    reference,
    configPath: blobPath(config.digest),
    layerPaths: layers.map((layer) => blobPath(layer.digest)),
  });
  const members = [
    ...encodeMember(blobPath(config.digest), config),
    ...encodeMember(blobPath(manifest.digest), manifest),
    ...encodeMember('oci-layout', OCI_LAYOUT),
    ...encodeMember('index.json', encodeIndex({ manifest, platform: image.platform, reference })),
    ...encodeMember('manifest.json', dockerManifest),
  ];
  const length = members.reduce((sum, part) => sum + part.length, 0);
  return Buffer.concat(members, tarSize(offset + length) - offset);
}

/** A document as a member: header, bytes, padding. */
export function encodeMember(name: string, { bytes }: Blob): Buffer[] {
  const padding = Buffer.alloc(roundUp(bytes.length, BLOCK_SIZE) - bytes.length);
  return [encodePaxHeader(fileMember(name, bytes.length), OWNERSHIP), bytes, padding];
}

function blobMember(digest: Digest, size: number): TarMember {
  return fileMember(blobPath(digest), size);
}

function fileMember(name: string, size: number): TarMember {
  return { kind: 'file', name, mode: 0o444, size, linkName: '' };
}

/** Where a blob is in an OCI layout. */
export function blobPath(digest: Digest): string {
  return `blobs/sha256/${digestHex(digest)}`;
}
