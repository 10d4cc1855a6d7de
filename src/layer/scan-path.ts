/** Lists a store path's tree and adds up what its members will take in a tar. */
import { scanDirectoryTree } from '../store/directory-tree.ts';
import { scanNar } from '../store/nar-tree.ts';
import type { TreeEntry, TreeSource } from '../store/tree.ts';
import { type TreeListing, TreeListingBuilder } from '../store/tree-listing.ts';
import { storeMemberSize } from './layer-source.ts';
import { type PermissionRule, permissionsOf } from './permissions.ts';
import type { TarMember, TarOwnership } from './tar-member.ts';

export interface ScanRequest {
  readonly storePath: string;
  readonly source: TreeSource;
  readonly ownership: TarOwnership;
  /** Those that concern this path. */
  readonly permissions: readonly PermissionRule[];
}

export interface Scan {
  readonly listing: TreeListing;
  /** Bytes of the path's members in a store layer's tar. */
  readonly memberBytes: number;
}

/** @throws PhylloError FILE_UNREADABLE, FILE_TYPE_UNSUPPORTED, NAR_INVALID, NAR_MISMATCH */
export async function scanPath(request: ScanRequest): Promise<Scan> {
  const { storePath, source } = request;
  const permit = permissionsOf(request.permissions, request.ownership);
  const listing = new TreeListingBuilder();
  let memberBytes = 0;
  for (const entry of await scanTree(source)) {
    listing.add(entry);
    const { member, ownership } = permit(storeMember(storePath, entry));
    memberBytes += storeMemberSize(member, ownership);
  }
  return { listing: listing.finish(), memberBytes };
}

/** The tar member of an entry: its absolute path, a directory's ending in `/`. */
export function storeMember(storePath: string, entry: TreeEntry): TarMember {
  const path = entry.path === '' ? storePath : `${storePath}/${entry.path}`;
  return {
    kind: entry.kind,
    name: entry.kind === 'directory' ? `${path}/` : path,
    mode: entry.mode,
    size: entry.kind === 'file' ? entry.size : 0,
    linkName: entry.kind === 'symlink' ? entry.target : '',
  };
}

/** In tar order; a NAR is read to its end for it. @throws as scanPath */
export function scanTree(source: TreeSource): Iterable<TreeEntry> | Promise<Iterable<TreeEntry>> {
  return source.kind === 'directory' ? scanDirectoryTree(source.location) : scanNar(source);
}
