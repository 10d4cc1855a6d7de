import { readFileSync } from 'node:fs';
import type { VectorEntry, VectorStorePath } from './vector-tree.ts';

interface Golden {
  readonly cases: readonly unknown[];
}

export interface LayerTarCase {
  readonly name: string;
  readonly note: string;
  readonly storePaths: readonly VectorStorePath[];
  readonly layer: readonly string[];
  readonly mtime: number;
  readonly uid: number;
  readonly gid: number;
  readonly uname: string;
  readonly gname: string;
  readonly expected: { readonly size: number; readonly sha256: string };
}

export interface CustomisationCase {
  readonly name: string;
  readonly note: string;
  readonly contents: readonly string[];
  readonly storePaths: readonly VectorStorePath[];
  readonly extraEntries: readonly VectorEntry[];
  readonly expected: {
    readonly members: readonly { readonly name: string; readonly type: string; readonly target?: string }[];
    readonly layerTar: { readonly size: number; readonly sha256: string };
  };
}

export interface ArchiveCase {
  readonly name: string;
  readonly note: string;
  readonly fromImage: string | null;
  readonly conf: string;
  readonly storePaths: readonly VectorStorePath[];
  readonly expected: { readonly diffIds?: readonly string[]; readonly error?: string };
}

/** All fields of an archive's case. */
export interface WholeArchiveCase extends Omit<ArchiveCase, 'fromImage' | 'expected'> {
  readonly arguments: readonly [flag: string, repoTag: string] | readonly [];
  readonly fromImage:
    null | { readonly case: string; readonly compression?: string } | { readonly gzipBase64: string };
  readonly customisation: {
    readonly path: string;
    readonly entries: readonly VectorEntry[];
    readonly checksum: string;
    /** What the file `checksum` holds, when it is not that. */
    readonly checksumFile?: string;
    readonly layerTar: { readonly size: number; readonly sha256: string };
    readonly archiveEntry: {
      readonly mode: string;
      readonly uid: number;
      readonly gid: number;
      readonly uname: string;
      readonly gname: string;
    };
  };
  readonly expected: {
    readonly error?: boolean;
    readonly archive: { readonly size: number; readonly sha256: string };
    readonly members: readonly string[];
    readonly configDigest: string;
    readonly config: string;
    readonly manifest: string;
  };
}

export function layerTarCases(): readonly LayerTarCase[] {
  return read('layer-tars.json') as readonly LayerTarCase[];
}

export function customisationCases(): readonly CustomisationCase[] {
  return read('customisation.json') as readonly CustomisationCase[];
}

export function wholeArchiveCases(): readonly WholeArchiveCase[] {
  return read('archives.json') as readonly WholeArchiveCase[];
}

export function archiveCases(): readonly ArchiveCase[] {
  return read('archives.json') as readonly ArchiveCase[];
}

function read(file: string): readonly unknown[] {
  const text = readFileSync(new URL(`../golden/${file}`, import.meta.url), 'utf8');
  return (JSON.parse(text) as Golden).cases;
}
