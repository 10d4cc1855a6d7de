/** Where an archive is written from its beginning to its end: a stream, a pipe or device, and a file that is compressed as a whole. */
import { createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { type Transform, Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { createGzip, createZstdCompress } from 'node:zlib';
import { writeFully } from '../layer/chunk-sink.ts';
import { ChunkWriter } from './archive-stream.ts';
import { PendingFile } from './pending-file.ts';
import type { FileTarget, StreamTarget, Target } from './target.ts';

/** How a whole archive is compressed, with dockerTools' names. The bytes are those of this machine's zlib or zstd. */
export type Compressor = 'none' | 'gz' | 'zstd';

export interface ArchiveOutput {
  readonly writable: Writable;
  /** All is written, and in its place. @throws PhylloError PIPE_CLOSED, DISK_FULL, DESTINATION_UNWRITABLE */
  close(): Promise<void>;
  /** Leaves nothing behind that is not whole. After `close` it does nothing. */
  discard(): Promise<void>;
}

/** Whether the archive cannot be written in any order. */
export async function isWrittenInOrder(target: Target): Promise<boolean> {
  if (target.kind === 'stream') return true;
  return target.kind === 'file' && (isCompressed(target) || (await isSpecialFile(target.file)));
}

/** A pipe or device (`/dev/stdout`, a process substitution) is written to, not replaced. */
export async function isSpecialFile(file: string): Promise<boolean> {
  const stats = await stat(file).catch(() => undefined);
  return stats !== undefined && !stats.isFile() && !stats.isDirectory();
}

/** @throws PhylloError DESTINATION_UNWRITABLE */
export async function openArchiveOutput(target: FileTarget | StreamTarget): Promise<ArchiveOutput> {
  const place = await openPlace(target);
  return isCompressed(target) ? compressed(COMPRESSORS[target.compressor](), place) : place;
}

const COMPRESSORS: Readonly<Record<Exclude<Compressor, 'none'>, () => Transform>> = {
  gz: () => createGzip(),
  zstd: () => createZstdCompress(),
};

function isCompressed<Kind extends FileTarget | StreamTarget>(
  target: Kind,
): target is Kind & { readonly compressor: Exclude<Compressor, 'none'> } {
  return target.compressor !== undefined && target.compressor !== 'none';
}

async function openPlace(target: FileTarget | StreamTarget): Promise<ArchiveOutput> {
  if (target.kind === 'stream')
    return { writable: target.output, close: async () => {}, discard: async () => {} };
  return (await isSpecialFile(target.file)) ? openSpecialFile(target.file) : await openFile(target.file);
}

function openSpecialFile(file: string): ArchiveOutput {
  const writable = createWriteStream(file);
  const close = async (): Promise<void> => {
    writable.end();
    await finished(writable);
  };
  return { writable, close, discard: async () => {} };
}

async function openFile(file: string): Promise<ArchiveOutput> {
  const pending = await PendingFile.create(file);
  let at = 0;
  const writable = new Writable({
    write(chunk: Uint8Array, _encoding, callback) {
      try {
        writeFully(pending, chunk, at);
        at += chunk.length;
        callback();
      } catch (error) {
        callback(error as Error);
      }
    },
  });
  const discard = async (): Promise<void> => {
    writable.destroy();
    await pending.discard();
  };
  return { writable, close: () => pending.commit(), discard };
}

function compressed(transform: Transform, place: ArchiveOutput): ArchiveOutput {
  const done = pour(transform, place.writable);
  // It shows where the archive is written, and in `close`.
  done.catch((error: Error) => transform.destroy(error));
  return {
    writable: transform,
    async close() {
      transform.end();
      await done;
      await place.close();
    },
    // Nobody may read what `done` waits for.
    async discard() {
      transform.destroy();
      await place.discard();
    },
  };
}

/** Not `pipeline`: a standard output that is a file throws where it is written to. */
async function pour(source: Transform, output: Writable): Promise<void> {
  const writer = new ChunkWriter(output);
  for await (const chunk of source.iterator({ destroyOnReturn: false }))
    await writer.write(chunk as Uint8Array);
  // After a failure somebody must still hear the stream's own error.
  writer.release();
}
