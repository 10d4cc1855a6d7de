/** A small document of an image as the blob it is stored as. */
import { createHash } from 'node:crypto';
import { type Digest, finishDigest } from '../digest.ts';

export interface Blob {
  readonly digest: Digest;
  readonly bytes: Buffer;
}

/** @see OCI image-spec v1.1, descriptor.md */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
  readonly platform?: { readonly architecture: string; readonly os: string; readonly variant?: string };
  readonly annotations?: Readonly<Record<string, string>>;
  /** Of a manifest that is no image's. */
  readonly artifactType?: string;
}

/** A repository of a registry. */
export interface Repository {
  /** With its port, where the registry has one: `127.0.0.1:5000`. */
  readonly host: string;
  readonly repository: string;
}

/** Compact JSON with keys in the order in which they stand: equal documents have equal digests. */
export function jsonBlob(document: unknown): Blob {
  return blobOf(Buffer.from(JSON.stringify(document)));
}

export function blobOf(bytes: Buffer): Blob {
  return { digest: finishDigest(createHash('sha256').update(bytes)), bytes };
}

export function descriptorOf(blob: Blob, mediaType: string): Descriptor {
  return { mediaType, digest: blob.digest, size: blob.bytes.length };
}
