/** Small archives and images, made for a test. */
import { createHash } from 'node:crypto';
import { mkdirSync, openSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { encodeForeignHeader, type ForeignHeader } from '../../../src/layer/foreign-header.ts';
import { BLOCK_SIZE, roundUp, tarSize } from '../../../src/layer/tar-member.ts';
import type { FileSlice } from '../../../src/transport/file-slice.ts';

export interface TestMember extends Partial<Omit<ForeignHeader, 'size'>> {
  readonly name: string;
  readonly content?: string | Buffer;
}

/** A whole tar. A type is '5' for names that end in a slash, '2' where there is a `linkName`, else '0'. */
export function makeTar(members: readonly TestMember[]): Buffer {
  const parts = members.flatMap(({ content = '', ...fields }) => {
    const bytes = Buffer.from(content);
    const padding = Buffer.alloc(roundUp(bytes.length, BLOCK_SIZE) - bytes.length);
    return [encodeForeignHeader(makeHeader(fields, bytes.length)), bytes, padding];
  });
  return Buffer.concat(parts, tarSize(parts.reduce((sum, { length }) => sum + length, 0)));
}

export function makeHeader({ name, ...fields }: Omit<TestMember, 'content'>, size = 0): ForeignHeader {
  const type = name.endsWith('/') ? '5' : fields.linkName === undefined ? '0' : '2';
  return {
    name: name.replace(/(?<=.)\/$/, ''),
    mode: type === '5' ? 0o755 : 0o644,
    uid: 0,
    gid: 0,
    size,
    mtimeSeconds: 1,
    type,
    linkName: '',
    uname: '',
    gname: '',
    devMajor: 0,
    devMinor: 0,
    pax: new Map(),
    ...fields,
  };
}

export interface TestImage {
  readonly name: string;
  /** Layer tars, perhaps compressed. */
  readonly layers: readonly Buffer[];
  /** Of the tars before compression; of `layers` when absent. */
  readonly diffIDs?: readonly string[];
  readonly config?: Readonly<Record<string, unknown>>;
}

/** Blobs by path, and what names them. */
export interface ImageBlobs {
  readonly files: Readonly<Record<string, Buffer>>;
  readonly config: string;
  readonly layers: readonly string[];
  readonly manifest: OciDescriptor;
}

export interface OciDescriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly platform?: { readonly architecture: string; readonly os: string };
  readonly annotations?: Readonly<Record<string, string>>;
}

export function imageBlobs({ layers, diffIDs = layers.map(digestOf), config = {} }: TestImage): ImageBlobs {
  const files: Record<string, Buffer> = {};
  const add = (bytes: Buffer, mediaType: string): OciDescriptor => {
    files[pathOf(digestOf(bytes))] = bytes;
    return { mediaType, digest: digestOf(bytes), size: bytes.length };
  };
  const layerDescriptors = layers.map((layer) => add(layer, 'application/vnd.oci.image.layer.v1.tar'));
  const document = {
    architecture: 'amd64',
    os: 'linux',
    ...config,
    rootfs: { type: 'layers', diff_ids: diffIDs },
  };
  const configDescriptor = add(json(document), 'application/vnd.oci.image.config.v1+json');
  const manifest = { schemaVersion: 2, config: configDescriptor, layers: layerDescriptors };
  return {
    config: pathOf(configDescriptor.digest),
    layers: layerDescriptors.map(({ digest }) => pathOf(digest)),
    manifest: add(json(manifest), 'application/vnd.oci.image.manifest.v1+json'),
    files,
  };
}

/** The files of a docker archive. */
export function dockerFiles(images: readonly TestImage[]): Record<string, Buffer> {
  const blobs = images.map(imageBlobs);
  const manifest = images.map(({ name }, i) => ({
    Config: blobs[i]?.config,
    RepoTags: name === '' ? null : [name],
    Layers: blobs[i]?.layers,
  }));
  return {
    ...Object.fromEntries(blobs.flatMap(({ files }) => Object.entries(files))),
    'manifest.json': json(manifest),
  };
}

/** The files of an OCI layout. */
export function ociFiles(
  files: Readonly<Record<string, Buffer>>,
  manifests: readonly OciDescriptor[],
): Record<string, Buffer> {
  return {
    'oci-layout': json({ imageLayoutVersion: '1.0.0' }),
    ...files,
    'index.json': json({ schemaVersion: 2, manifests }),
  };
}

export function tarOf(files: Readonly<Record<string, Buffer>>): Buffer {
  return makeTar(Object.entries(files).map(([name, content]) => ({ name, content })));
}

export function writeFiles(directory: string, files: Readonly<Record<string, Buffer>>): void {
  for (const [path, bytes] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), bytes);
  }
}

/** The bytes as a file that is open; the process closes it. */
export function sliceOf(bytes: Buffer, file: string): FileSlice {
  writeFileSync(file, bytes);
  return { file, fd: openSync(file, 'r'), offset: 0, size: bytes.length };
}

export function json(document: unknown): Buffer {
  return Buffer.from(JSON.stringify(document));
}

export function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

function pathOf(digest: string): string {
  return digest.replace('sha256:', 'blobs/sha256/');
}
