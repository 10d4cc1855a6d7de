/** Messages between the main thread and its workers. Plain data only. */
import type { Gate } from '../compression/native-context.ts';
import { type ErrorCode, PhylloError } from '../errors.ts';
import type { BlockBoard } from './block-board.ts';
import type { ChunkRing } from './chunk-ring.ts';
import type { FilePosition } from './chunk-sink.ts';
import type { LayerDigest, LayerSource } from './layer-source.ts';
import type { ByteCounter } from './progress.ts';
import type { Scan, ScanRequest } from './scan-path.ts';
import type { StoredLayer } from './stored-layer.ts';

/** What a worker starts with. */
export interface WorkerData {
  readonly counter: ByteCounter;
  /** The number of jobs that wait for a worker. */
  readonly waiting: Int32Array<SharedArrayBuffer>;
  /** Shut before the thread is stopped. */
  readonly gate: Gate;
}

export type Job = ScanJob | WriteJob | FeedJob | DigestJob | CompressJob | HelpJob;

export interface ScanJob {
  readonly kind: 'scan';
  readonly request: ScanRequest;
}

/** Makes a layer at its places in files, and hashes it. */
export interface WriteJob {
  readonly kind: 'write';
  readonly layer: LayerSource;
  readonly places: readonly FilePosition[];
}

/** Makes a layer and hands its bytes on; whoever reads the ring hashes them, and writes what this one did not. */
export interface FeedJob {
  readonly kind: 'feed';
  readonly layer: LayerSource;
  readonly places: readonly FilePosition[];
  readonly ring: ChunkRing;
}

/** Hashes what comes through a ring. */
export interface DigestJob {
  readonly kind: 'digest';
  readonly ring: ChunkRing;
  /** The same as the feeder's. */
  readonly places: readonly FilePosition[];
}

/** Leads a layer on the board, and makes its blob. */
export interface CompressJob {
  readonly kind: 'compress';
  readonly layer: LayerSource;
  readonly board: BlockBoard;
  readonly places: readonly FilePosition[];
  readonly ring: ChunkRing | undefined;
}

/** Compresses blocks of others' until the board is closed or another job waits. */
export interface HelpJob {
  readonly kind: 'help';
  readonly board: BlockBoard;
}

export interface JobResults {
  readonly compress: Omit<StoredLayer, 'mediaType'>;
  readonly help: undefined;
  readonly scan: Scan;
  readonly write: LayerDigest;
  readonly feed: undefined;
  readonly digest: LayerDigest;
}

export type Reply =
  | { readonly kind: 'done'; readonly result: JobResults[Job['kind']] }
  | { readonly kind: 'failed'; readonly failure: Failure };

/** An error's class does not survive a message; its fields do. */
export interface Failure {
  readonly code: ErrorCode | undefined;
  readonly message: string;
  readonly hint: string | undefined;
  readonly stack: string | undefined;
}

export function toFailure(error: unknown): Failure {
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  if (!(error instanceof PhylloError)) return { code: undefined, message, hint: undefined, stack };
  return { code: error.code, message, hint: error.hint, stack };
}

/** The error that `toFailure` took apart; one without a code is a bug and keeps the worker's stack. */
export function fromFailure({ code, message, hint, stack }: Failure): Error {
  const error =
    code === undefined
      ? new Error(message)
      : new PhylloError(code, message, hint === undefined ? {} : { hint });
  if (stack !== undefined) error.stack = stack;
  return error;
}
