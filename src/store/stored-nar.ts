/** A NAR's bytes as they are stored, wherever that is. */
import { createReadStream, type ReadStream } from 'node:fs';
import { PhylloError, reasonOf } from '../errors.ts';
import { fetchNar, type RemoteSource } from './fetch-nar.ts';
import { keptNar, KeepFile } from './kept-nar.ts';
import type { NarSource } from './tree.ts';

/** Large enough that a chunk's overhead does not show, small enough for a processor's cache. */
const READ_BYTES = 256 * 1024;

export type StoredNar = AsyncIterable<Uint8Array> & AsyncDisposable;

/**
 * Nothing is opened before it is iterated over, and everything is closed when it is disposed of, however far it was read.
 * While it is read it is laid by, if the source says so; the next one reads that.
 */
export function openStoredNar(source: NarSource): StoredNar {
  if (source.remote === undefined) return new NarFile(source.location);
  const { keep } = source.remote;
  const kept = keep === undefined ? undefined : keptNar(keep);
  if (kept !== undefined) return new NarFile(kept);
  const fetched = inLargeChunks(fetchNar(source as RemoteSource));
  const bytes = keep === undefined ? fetched : keeping(fetched, new KeepFile(keep));
  return Object.assign(bytes, { [Symbol.asyncDispose]: async () => void (await bytes.return()) });
}

/** What comes in small pieces is handed on in large ones: each piece has its price on the way. */
async function* inLargeChunks(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  let held: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    held.push(chunk);
    length += chunk.length;
    if (length < READ_BYTES) continue;
    yield Buffer.concat(held, length);
    held = [];
    length = 0;
  }
  if (length > 0) yield Buffer.concat(held, length);
}

async function* keeping(
  chunks: AsyncIterable<Uint8Array>,
  file: KeepFile,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    for await (const chunk of chunks) {
      file.write(chunk);
      yield chunk;
    }
    file.commit();
  } finally {
    file.discard();
  }
}

class NarFile implements StoredNar {
  readonly #location: string;
  #file: ReadStream | undefined;

  constructor(location: string) {
    this.#location = location;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    this.#file = createReadStream(this.#location, { highWaterMark: READ_BYTES });
    try {
      yield* this.#file as AsyncIterable<Uint8Array>;
    } catch (cause) {
      throw new PhylloError('FILE_UNREADABLE', `cannot read ${this.#location}: ${reasonOf(cause)}`, {
        hint: 'a binary cache has the NAR beside each .narinfo: copy the whole cache',
        cause,
      });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const file = this.#file;
    if (file === undefined || file.closed) return;
    const closed = new Promise<void>((resolve) => file.once('close', resolve));
    file.destroy();
    await closed;
  }
}
