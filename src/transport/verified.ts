/** Bytes that are what their descriptor says. */
import { createHash } from 'node:crypto';
import { type Digest, finishDigest } from '../digest.ts';
import { PhylloError } from '../errors.ts';
import type { Blob, Descriptor } from '../image/blob.ts';
import { type FileSlice, readSlice, sliceChunks } from './file-slice.ts';

export interface Expected {
  readonly digest: Digest;
  /** Bytes; undefined: whatever it is. */
  readonly size?: number;
  /** What it is, for messages: `the layer sha256:… of image.tar`. */
  readonly what: string;
}

/** A manifest is limited to 4 MiB by registries; a config may be somewhat larger. */
const MAX_DOCUMENT_BYTES = 32 * 1024 * 1024;

/**
 * Hands the chunks on, and throws at the end, or as soon as there are too many.
 * @throws PhylloError ARCHIVE_INVALID
 */
export async function* verified(
  chunks: AsyncIterable<Uint8Array>,
  { digest, size, what }: Expected,
): AsyncGenerator<Uint8Array, void, undefined> {
  const hash = createHash('sha256');
  let length = 0;
  for await (const chunk of chunks) {
    length += chunk.length;
    if (size !== undefined && length > size) throw damaged(what, `it has more than ${size} bytes`);
    hash.update(chunk);
    yield chunk;
  }
  if (size !== undefined && length !== size) throw damaged(what, `it has ${length} bytes instead of ${size}`);
  const actual = finishDigest(hash);
  if (actual !== digest) throw damaged(what, `its digest is ${actual} instead of ${digest}`);
}

/** @throws PhylloError ARCHIVE_INVALID */
export async function digestOf(slice: FileSlice): Promise<Digest> {
  const hash = createHash('sha256');
  for await (const chunk of sliceChunks(slice)) hash.update(chunk);
  return finishDigest(hash);
}

/**
 * A document as a whole.
 * @throws PhylloError ARCHIVE_INVALID when it is too large, or not what `expected` says
 */
export function readDocument(slice: FileSlice, what: string, expected?: Descriptor): Blob {
  if (slice.size > MAX_DOCUMENT_BYTES) throw damaged(what, `it has ${slice.size} bytes`);
  const bytes = readSlice(slice, 0, slice.size);
  const digest = finishDigest(createHash('sha256').update(bytes));
  if (expected !== undefined && expected.size !== bytes.length)
    throw damaged(what, `it has ${bytes.length} bytes instead of ${expected.size}`);
  if (expected !== undefined && expected.digest !== digest)
    throw damaged(what, `its digest is ${digest} instead of ${expected.digest}`);
  return { digest, bytes };
}

/**
 * The same of bytes that come from somewhere else.
 * @throws PhylloError ARCHIVE_INVALID, and what `chunks` throws
 */
export async function collectDocument(
  chunks: AsyncIterable<Uint8Array>,
  expected: Required<Expected>,
): Promise<Blob> {
  const { digest, size, what } = expected;
  if (size > MAX_DOCUMENT_BYTES) throw damaged(what, `it has ${size} bytes`);
  const parts: Uint8Array[] = [];
  for await (const chunk of verified(chunks, expected)) parts.push(chunk);
  return { digest, bytes: Buffer.concat(parts) };
}

function damaged(what: string, difference: string): PhylloError {
  return new PhylloError('ARCHIVE_INVALID', `${what} is not what it should be: ${difference}`, {
    hint: 'the image is damaged: make or download it again',
  });
}
