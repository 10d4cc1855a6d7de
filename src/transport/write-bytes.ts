/** Brings a sequence of bytes to a file, which appears whole or not at all, or to a stream. */
import { createWriteStream } from 'node:fs';
import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { PhylloError } from '../errors.ts';
import { writeFully } from '../layer/chunk-sink.ts';
import { outputError } from './archive-stream.ts';
import { isSpecialFile } from './archive-output.ts';
import { PendingFile } from './pending-file.ts';

export interface WriteOptions {
  /** Checked after each chunk. */
  readonly signal?: AbortSignal;
}

/**
 * A pipe or device is written to, not replaced.
 * @throws PhylloError DESTINATION_UNWRITABLE, DISK_FULL, PIPE_CLOSED; what `chunks` throws; the signal's reason
 */
export async function writeToFile(
  file: string,
  chunks: AsyncIterable<Uint8Array>,
  { signal }: WriteOptions = {},
): Promise<void> {
  if (await isSpecialFile(file)) return await pipe(chunks, createWriteStream(file), { signal, end: true });
  const pending = await PendingFile.create(file);
  try {
    let at = 0;
    for await (const chunk of chunks) {
      writeFully(pending, chunk, at);
      at += chunk.length;
      signal?.throwIfAborted();
    }
    await pending.commit();
  } finally {
    await pending.discard();
  }
}

/**
 * Leaves the stream open.
 * @throws as writeToFile
 */
export async function writeToStream(
  output: Writable,
  chunks: AsyncIterable<Uint8Array>,
  { signal }: WriteOptions = {},
): Promise<void> {
  await pipe(chunks, output, { signal, end: false });
}

async function pipe(
  chunks: AsyncIterable<Uint8Array>,
  output: Writable,
  { signal, end }: { readonly signal: AbortSignal | undefined; readonly end: boolean },
): Promise<void> {
  try {
    await pipeline(Readable.from(chunks), output, { end, ...(signal === undefined ? {} : { signal }) });
  } catch (cause) {
    signal?.throwIfAborted();
    throw cause instanceof PhylloError ? cause : outputError(cause);
  }
}
