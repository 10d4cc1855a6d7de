/** Undoes compression as bytes come in, with memory for a few chunks and what the format needs to look back. */
import { pipeline } from 'node:stream';
import { createBrotliDecompress, createGunzip } from 'node:zlib';
import { decompressBzip2, MAX_BLOCK_BYTES } from './bzip2.ts';
import { makingContexts } from './native-context.ts';
import { decompressXz } from './xz.ts';
import { decompressZstd } from './zstd-frames.ts';

export type Compression = 'none' | 'gzip' | 'zstd' | 'xz' | 'bzip2' | 'br';

type Chunks = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/** Measured: a third less time than with a quarter of it, each chunk being new memory; and unpacked ahead of who reads them. */
const CHUNK_BYTES = 1024 * 1024;
const STREAM = { chunkSize: CHUNK_BYTES, highWaterMark: 2 * CHUNK_BYTES };

/**
 * The bytes without their compression. Ending early ends `chunks`.
 * @throws an Error that says what is wrong with them; what `chunks` throws
 */
export function decompress(chunks: Chunks, compression: Compression): Chunks {
  switch (compression) {
    case 'none':
      return chunks;
    case 'gzip':
      return through(chunks, () => createGunzip(STREAM));
    case 'zstd':
      return decompressZstd(chunks, STREAM);
    case 'br':
      return through(chunks, () => createBrotliDecompress(STREAM));
    case 'xz':
      return decompressXz(chunks);
    case 'bzip2':
      return bzip2(chunks);
    default:
      throw new TypeError('unknown compression');
  }
}

type Transform = NodeJS.ReadWriteStream & AsyncIterable<Uint8Array>;

function through(chunks: Chunks, makeTransform: () => Transform): AsyncIterable<Uint8Array> {
  const transform = makingContexts(makeTransform);
  // Whoever reads the last stream is told of every stream's errors: the callback has nothing to add.
  return pipeline(chunks, transform, () => undefined) as AsyncIterable<Uint8Array>;
}

/** It reads its input synchronously: before each step a whole block of it must be there. */
async function* bzip2(chunks: Chunks): AsyncGenerator<Uint8Array, void, undefined> {
  const queue: Uint8Array[] = [];
  let held = 0;
  const output = decompressBzip2(() => {
    const chunk = queue.shift();
    held -= chunk?.length ?? 0;
    return chunk;
  });
  for await (const chunk of chunks) {
    queue.push(chunk);
    held += chunk.length;
    while (held > MAX_BLOCK_BYTES) {
      const { value, done } = output.next();
      if (done === true) return;
      yield value;
    }
  }
  yield* output;
}
