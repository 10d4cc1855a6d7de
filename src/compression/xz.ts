/** xz, by a library whose errors are numbers. */

/** What the library's numbers mean. @see xz-embedded, linux/include/linux/xz.h, `enum xz_ret` */
const PROBLEMS: Readonly<Record<string, string>> = {
  3: 'there is no memory for the xz dictionary',
  4: 'the xz dictionary is larger than what is read here',
  5: 'not an xz stream',
  6: 'the xz stream has a check or a filter that is not read here: only CRC32, CRC64 and LZMA2',
  7: 'the xz stream is damaged',
  8: 'the xz stream is cut off or damaged',
};
const CODE = /error code (\d+)/;

/**
 * The bytes without their compression; several streams after each other are one. Ending early ends `chunks`.
 * @throws an Error that says what is wrong; what `chunks` throws
 */
export async function* decompressXz(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  // It unfolds its program when it is loaded, which most runs need not wait for.
  const { default: xz } = await import('xz-decompress');
  try {
    yield* new xz.XzReadableStream(ReadableStream.from(notEmpty(chunks)));
  } catch (cause) {
    const problem = PROBLEMS[CODE.exec(cause instanceof Error ? cause.message : '')?.[1] ?? ''];
    throw problem === undefined ? cause : new Error(problem, { cause });
  }
}

/** The library does not know what to do with nothing. */
async function* notEmpty(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  let isEmpty = true;
  for await (const chunk of chunks) {
    isEmpty &&= chunk.length === 0;
    yield chunk;
  }
  if (isEmpty) throw new Error('the xz stream is empty');
}
