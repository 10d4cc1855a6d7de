/** Turns a writer into what can be read, so that what it writes can be the body of a request. */
import { Writable } from 'node:stream';
import { ChunkChannel } from '../registry/chunk-channel.ts';

/**
 * The bytes that `write` writes, one chunk at a time: the writer waits while the reader is slower. A reader that goes away lets the
 * writer finish into nothing, and waits for it, so that whatever it keeps busy is free afterwards.
 * @throws what `write` throws, after its last chunk
 */
export async function* writtenChunks(
  write: (output: Writable) => Promise<void>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const channel = new ChunkChannel();
  const output = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      // Whoever wrote it may overwrite it, and whoever reads it may keep it in a queue.
      channel.write(Buffer.from(chunk)).then(() => done(), done);
    },
  });
  const written = write(output).finally(() => channel.end());
  written.catch(() => undefined);
  try {
    yield* channel;
    await written;
  } finally {
    channel.close();
    await written.catch(() => undefined);
  }
}
