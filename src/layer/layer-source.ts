/** What a layer is made of, as plain data that a worker thread can take. */
import type { Digest } from '../digest.ts';
import type { NarSource, TreeSource } from '../store/tree.ts';
import type { TreeListing } from '../store/tree-listing.ts';
import { paxHeaderSize } from './pax-header.ts';
import type { PermissionRule } from './permissions.ts';
import { gnuHeaderSize } from './gnu-header.ts';
import { BLOCK_SIZE, roundUp, tarSize, type TarMember, type TarOwnership } from './tar-member.ts';

export type LayerSource = StoreLayerSource | CustomisationLayerSource | BaseLayerSource;

/** @see layer format, "Members" */
export interface StoreLayerSource {
  readonly kind: 'store';
  /** In the order of the tar. */
  readonly paths: readonly LayerPath[];
  readonly ownership: TarOwnership;
}

export type LayerPath = ScannedPath | UnreadNar;

/** A store path whose NAR is read once, when its layer is made. */
export interface UnreadNar {
  readonly storePath: string;
  readonly source: NarSource;
  readonly listing?: undefined;
  /** Those that concern this path. */
  readonly permissions: readonly PermissionRule[];
  /** Roughly. */
  readonly memberBytes: number;
}

/** A store path whose tree has been listed. */
export interface ScannedPath {
  readonly storePath: string;
  readonly source: TreeSource;
  readonly listing: TreeListing;
  /** Those that concern this path. */
  readonly permissions: readonly PermissionRule[];
  /** Bytes of all its members in a tar with the layer's ownership and these permissions. */
  readonly memberBytes: number;
  /** Set when the files must be compared with it on the way. */
  readonly narHash?: Digest;
}

export interface CustomisationLayerSource {
  readonly kind: 'customisation';
  /** In the order of the tar, the root directory first. */
  readonly members: readonly CustomisationMember[];
  readonly mtimeSeconds: number;
}

export interface CustomisationMember extends TarMember {
  readonly uid: number;
  readonly gid: number;
  /** Where a file's content is on disk; '' unless a file. latin1. */
  readonly location: string;
}

/** A layer that exists: its bytes, compressed or not, are copied. */
export interface BaseLayerSource {
  readonly kind: 'base';
  /** Name for messages. */
  readonly file: string;
  /** Open for reading while the layer is used. */
  readonly fd: number;
  /** Byte offset. */
  readonly offset: number;
  /** Bytes. */
  readonly size: number;
}

/** A layer whose bytes are known. */
export interface LayerDigest {
  /** sha256 of the uncompressed tar. @see OCI image-spec, config.md, "Layer DiffID" */
  readonly diffID: Digest;
  /** Bytes of the uncompressed tar. */
  readonly size: number;
}

/** The two directories that every store layer begins with, whatever its store directory. */
export const STORE_LAYER_PREFIX: readonly TarMember[] = ['/nix/', '/nix/store/'].map((name) => ({
  kind: 'directory',
  name,
  mode: 0o755,
  size: 0,
  linkName: '',
}));

/** Whether a layer's size is known before its bytes are made. */
export function isMeasured(layer: LayerSource): boolean {
  return layer.kind !== 'store' || layer.paths.every(({ listing }) => listing !== undefined);
}

/** Bytes of the layer's tar, roughly if it is not measured; of a base layer the bytes that are copied. */
export function layerTarSize(layer: LayerSource): number {
  if (layer.kind === 'base') return layer.size;
  return tarSize(layer.kind === 'store' ? storeMemberBytes(layer) : customisationMemberBytes(layer));
}

/** Bytes of a member in a store layer: header blocks and padded content. */
export function storeMemberSize(member: TarMember, ownership: TarOwnership): number {
  return paxHeaderSize(member, ownership) + roundUp(member.size, BLOCK_SIZE);
}

function storeMemberBytes({ paths, ownership }: StoreLayerSource): number {
  const prefix = STORE_LAYER_PREFIX.reduce((sum, member) => sum + storeMemberSize(member, ownership), 0);
  return paths.reduce((sum, path) => sum + path.memberBytes, prefix);
}

function customisationMemberBytes({ members }: CustomisationLayerSource): number {
  return members.reduce((sum, member) => sum + gnuHeaderSize(member) + roundUp(member.size, BLOCK_SIZE), 0);
}
