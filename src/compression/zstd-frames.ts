/**
 * zstd with any number of frames, as `pzstd` and zstd:chunked layers have them: Node's own stream ends with the first frame
 * that ends within a chunk.
 *
 * @see RFC 8878, section 3: "Zstandard compressed data is made up of one or more frames"
 */
import { createZstdDecompress, type ZstdDecompress, type ZstdOptions } from 'node:zlib';
import { makingContexts } from './native-context.ts';

type Chunks = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/**
 * The bytes without their compression. Ending early ends `chunks`.
 * @throws an Error that says what is wrong; what `chunks` throws
 */
export async function* decompressZstd(
  chunks: Chunks,
  options: ZstdOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const input = Symbol.asyncIterator in chunks ? chunks[Symbol.asyncIterator]() : chunks[Symbol.iterator]();
  let unused: Uint8Array | undefined;
  try {
    do {
      const frames = makingContexts(() => createZstdDecompress(options));
      const feeding = feed(frames, { input, first: unused });
      // Whoever reads the frames is told.
      feeding.catch((error: unknown) => frames.destroy(error as Error));
      yield* frames as AsyncIterable<Uint8Array>;
      unused = await feeding;
    } while (unused !== undefined);
  } finally {
    await input.return?.();
  }
}

interface Input {
  readonly input: AsyncIterator<Uint8Array> | Iterator<Uint8Array>;
  /** What comes before it. */
  readonly first: Uint8Array | undefined;
}

/** Gives what follows the frame with which the stream ended; undefined: nothing does. */
async function feed(frames: ZstdDecompress, { input, first }: Input): Promise<Uint8Array | undefined> {
  let fed = 0;
  for (let chunk = first ?? (await next(input)); chunk !== undefined; chunk = await next(input)) {
    fed += chunk.length;
    await write(frames, chunk);
    const unused = fed - frames.bytesWritten;
    if (unused > 0) return chunk.subarray(chunk.length - unused);
  }
  frames.end();
  return undefined;
}

async function next(input: Input['input']): Promise<Uint8Array | undefined> {
  const result = await input.next();
  return result.done === true ? undefined : result.value;
}

/** Resolves when the stream has no more use for the chunk. */
function write(frames: ZstdDecompress, chunk: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    frames.write(chunk, (error) => (error ? reject(error) : resolve()));
  });
}
