/** Compares a store path's files with the hash that its store has of them, while they are read for the layer. */
import { PhylloError } from '../errors.ts';
import { mayBeOvertaken } from '../store/tree-order.ts';
import { listingEntries } from '../store/tree-listing.ts';
import { FileSink } from './chunk-sink.ts';
import type { ScannedPath } from './layer-source.ts';
import { NarHasher } from './nar-hasher.ts';
import { TarStream } from './tar-stream.ts';

/**
 * A hasher for the path's entries as they go into the tar, or undefined where nothing is to be verified that way.
 * @throws PhylloError STORE_PATH_MODIFIED
 */
export function hasherFor(path: ScannedPath, root: string): NarHasher | undefined {
  if (path.narHash === undefined) return undefined;
  if (!hasOtherOrder(path)) return new NarHasher();
  verifyApart(path, root);
  return undefined;
}

/** @throws PhylloError STORE_PATH_MODIFIED */
export function requireNarHash({ storePath, narHash }: ScannedPath, hasher: NarHasher): void {
  const actual = hasher.finish();
  if (actual === narHash) return;
  throw new PhylloError(
    'STORE_PATH_MODIFIED',
    `${storePath} is not what its store says: its NAR hash is ${actual}, and should be ${narHash}`,
    { hint: 'a file in it was changed; nix-store --repair-path restores it' },
  );
}

function hasOtherOrder({ listing }: ScannedPath): boolean {
  return listingEntries(listing).some(({ path }) => mayBeOvertaken(path));
}

/** Names whose order differs between NAR and tar are so rare that reading such a path twice does no harm. */
function verifyApart(path: ScannedPath, root: string): void {
  const hasher = new NarHasher();
  const reader = new TarStream(new FileSink([]));
  for (const entry of [...listingEntries(path.listing)].sort(byBytes)) {
    hasher.entry(entry);
    if (entry.kind !== 'file') continue;
    reader.file(`${root}${entry.path === '' ? '' : '/'}${entry.path}`, entry.size, (bytes) =>
      hasher.content(bytes),
    );
    hasher.endFile(entry);
  }
  requireNarHash(path, hasher);
}

/** Depth first: a separator that sorts before every byte makes a directory's contents follow it. */
function byBytes(left: { readonly path: string }, right: { readonly path: string }): number {
  const [a, b] = [left.path.replaceAll('/', '\0'), right.path.replaceAll('/', '\0')];
  return a < b ? -1 : a > b ? 1 : 0;
}
