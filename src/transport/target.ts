/** Where an image may go, as a build says it: plain data, and what is open already. */
import type { Writable } from 'node:stream';
import type { ImageReference } from '../image/image-reference.ts';
import type { Compression } from '../layer/encoder.ts';
import type { Compressor } from './archive-output.ts';
import type { LocateDaemon } from './daemon/daemon-address.ts';
import type { Registries } from './registry/registries.ts';

export type Target =
  FileTarget | LayoutDirectoryTarget | StreamTarget | RegistryRepositoryTarget | EngineTarget;

interface AnyTarget {
  readonly reference: ImageReference;
  /** Of the layers. */
  readonly compression: Compression;
}

export interface FileTarget extends AnyTarget {
  readonly kind: 'file';
  readonly file: string;
  readonly format?: ArchiveFormat;
  /** Of the whole archive. Default: none. */
  readonly compressor?: Compressor;
}

export interface LayoutDirectoryTarget extends AnyTarget {
  readonly kind: 'layout';
  readonly directory: string;
  /** The image is there by its digest alone, for an index. */
  readonly isPart?: boolean;
}

export interface StreamTarget extends AnyTarget {
  readonly kind: 'stream';
  /** Left open. */
  readonly output: Writable;
  readonly format?: ArchiveFormat;
  /** As of a file. */
  readonly compressor?: Compressor;
}

export interface RegistryRepositoryTarget extends AnyTarget {
  readonly kind: 'registry';
  /** Stays open. */
  readonly registries: Registries;
  /** Other repositories of the same registry that may have some of the blobs. */
  readonly mountFrom?: readonly string[];
  /** As of a layout. */
  readonly isPart?: boolean;
}

/** A Docker engine. */
export interface EngineTarget extends AnyTarget {
  readonly kind: 'daemon';
  readonly daemon: LocateDaemon;
}

/** `dockertools`: nixpkgs' archive, byte for byte; its layers cannot be compressed. */
export type ArchiveFormat = 'phyllo' | 'dockertools';
