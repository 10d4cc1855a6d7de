/**
 * Store paths that files mention: hash parts behind the store directory, in contents, link targets and names. Files are read
 * in chunks, each once, which also gives a hash of all that decides the layer.
 */
import { createHash, type Hash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { PhylloError, reasonOf } from '../errors.ts';
import type { CustomisationMember } from '../layer/layer-source.ts';
import { displayPath, systemPath } from '../store/directory-tree.ts';
import { isHashPart } from '../store/store-path.ts';

const HASH_LENGTH = 32;
const CHUNK_SIZE = 1024 * 1024;

export interface TreeMentions {
  /** Each once; not all are in a store. */
  readonly hashParts: ReadonlySet<string>;
  /** sha256 in hex of members and contents. */
  readonly fingerprint: string;
}

export interface MentionOptions {
  readonly storeDir: string;
  readonly signal: AbortSignal | undefined;
}

/** @throws PhylloError FILE_UNREADABLE; the signal's reason */
export async function findTreeMentions(
  members: readonly CustomisationMember[],
  { storeDir, signal }: MentionOptions,
): Promise<TreeMentions> {
  const search = createSearch(storeDir);
  const fingerprint = createHash('sha256');
  for (const member of members) {
    signal?.throwIfAborted();
    const { kind, name, mode, uid, gid, size, linkName, location, xattrs } = member;
    fingerprint.update(JSON.stringify([kind, name, mode, uid, gid, size, linkName, xattrs]));
    searchBytes(Buffer.from(`${name}\0${linkName}`, 'latin1'), search);
    if (kind === 'file') await searchFile(location, { search, fingerprint });
  }
  return { hashParts: search.hashParts, fingerprint: fingerprint.digest('hex') };
}

/**
 * The same of one file's contents. @param location in the file system, latin1
 * @throws PhylloError FILE_UNREADABLE
 */
export async function findFileMentions(location: string, storeDir: string): Promise<TreeMentions> {
  const search = createSearch(storeDir);
  const fingerprint = createHash('sha256');
  await searchFile(location, { search, fingerprint });
  return { hashParts: search.hashParts, fingerprint: fingerprint.digest('hex') };
}

function createSearch(storeDir: string): Search {
  const start = Buffer.from(`${storeDir}/`);
  const overlap = start.length + HASH_LENGTH + 1;
  return { start, overlap, buffer: Buffer.allocUnsafe(overlap + CHUNK_SIZE), hashParts: new Set() };
}

interface Search {
  /** The store directory and a slash. */
  readonly start: Buffer;
  /** Bytes of the longest mention: one that goes over the end of a chunk is found with the next chunk. */
  readonly overlap: number;
  readonly buffer: Buffer;
  readonly hashParts: Set<string>;
}

async function searchFile(
  location: string,
  { search, fingerprint }: { readonly search: Search; readonly fingerprint: Hash },
): Promise<void> {
  try {
    await using file = await open(systemPath(location), 'r');
    const { buffer, overlap } = search;
    for (let kept = 0; ;) {
      const { bytesRead } = await file.read(buffer, kept, CHUNK_SIZE);
      if (bytesRead === 0) return;
      fingerprint.update(buffer.subarray(kept, kept + bytesRead));
      const filled = buffer.subarray(0, kept + bytesRead);
      searchBytes(filled, search);
      kept = Math.min(overlap, filled.length);
      filled.copy(buffer, 0, filled.length - kept);
    }
  } catch (cause) {
    throw new PhylloError('FILE_UNREADABLE', `cannot read ${displayPath(location)}: ${reasonOf(cause)}`, {
      cause,
    });
  }
}

function searchBytes(bytes: Buffer, { start, hashParts }: Search): void {
  for (let at = bytes.indexOf(start); at >= 0; at = bytes.indexOf(start, at + start.length)) {
    const end = at + start.length + HASH_LENGTH;
    const hashPart = bytes.toString('latin1', at + start.length, end);
    if (bytes[end] === DASH && isHashPart(hashPart)) hashParts.add(hashPart);
  }
}

const DASH = 0x2d;
