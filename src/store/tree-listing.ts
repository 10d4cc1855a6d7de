/**
 * A tree's entries in a compact form that worker threads share without copying. A scan makes it, the layer's writer reads
 * it, so that nothing is looked up twice and a file that changed in between is noticed by name.
 *
 * Each entry, numbers little endian:
 *
 * | bytes | field |
 * |---|---|
 * | 1 | kind: 0 directory, 1 file, 2 symlink |
 * | 2 | mode |
 * | 8 | size of a file (float64), else 0 |
 * | 4 | length of the path, then the path |
 * | 4 | length of the target (0 unless a symlink), then the target |
 */
import type { TreeEntry } from './tree.ts';

/** Entries in tar order, packed. Backed by shared memory. */
export type TreeListing = Uint8Array<SharedArrayBuffer>;

const KINDS = ['directory', 'file', 'symlink'] as const;
const FIXED_LENGTH = 1 + 2 + 8 + 4 + 4;
const INITIAL_CAPACITY = 4096;

/** Collects entries; `finish` gives the listing and leaves the builder unusable. */
export class TreeListingBuilder {
  #bytes = Buffer.allocUnsafeSlow(INITIAL_CAPACITY);
  #length = 0;

  add(entry: TreeEntry): void {
    const target = entry.kind === 'symlink' ? entry.target : '';
    this.#reserve(FIXED_LENGTH + entry.path.length + target.length);
    this.#length = this.#bytes.writeUInt8(KINDS.indexOf(entry.kind), this.#length);
    this.#length = this.#bytes.writeUInt16LE(entry.mode, this.#length);
    this.#length = this.#bytes.writeDoubleLE(entry.kind === 'file' ? entry.size : 0, this.#length);
    this.#writeText(entry.path);
    this.#writeText(target);
  }

  finish(): TreeListing {
    const listing = new Uint8Array(new SharedArrayBuffer(this.#length));
    listing.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = Buffer.alloc(0);
    return listing;
  }

  #writeText(text: string): void {
    this.#length = this.#bytes.writeUInt32LE(text.length, this.#length);
    this.#length += this.#bytes.write(text, this.#length, 'latin1');
  }

  #reserve(length: number): void {
    const wanted = this.#length + length;
    if (wanted <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(wanted, this.#bytes.length * 2));
    this.#bytes.copy(grown, 0, 0, this.#length);
    this.#bytes = grown;
  }
}

export function* listingEntries(listing: TreeListing): Generator<TreeEntry, void, undefined> {
  const bytes = Buffer.from(listing.buffer, listing.byteOffset, listing.byteLength);
  for (let at = 0; at < bytes.length;) {
    const pathEnd = at + 15 + bytes.readUInt32LE(at + 11);
    const end = pathEnd + 4 + bytes.readUInt32LE(pathEnd);
    yield decodeEntry(bytes, { at, pathEnd, end });
    at = end;
  }
}

interface EntryBounds {
  readonly at: number;
  readonly pathEnd: number;
  readonly end: number;
}

function decodeEntry(bytes: Buffer, { at, pathEnd, end }: EntryBounds): TreeEntry {
  const mode = bytes.readUInt16LE(at + 1);
  const path = bytes.toString('latin1', at + 15, pathEnd);
  switch (KINDS[bytes[at] as number]) {
    case 'directory':
      return { kind: 'directory', path, mode };
    case 'file':
      return { kind: 'file', path, mode, size: bytes.readDoubleLE(at + 3) };
    case 'symlink':
      return { kind: 'symlink', path, mode, target: bytes.toString('latin1', pathEnd + 4, end) };
    default:
      throw new RangeError(`not a tree listing: kind ${bytes[at]} at byte ${at}`);
  }
}
