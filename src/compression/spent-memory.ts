/**
 * Gives memory back before the garbage collector would. Buffers are small objects with large memory behind them: it runs once they have
 * taken tens of megabytes, again and again, and looks at everything else, too.
 */

/** Frees all memory of which `bytes` are a part, which is nobody's any more. */
export function freeMemory({ buffer }: Uint8Array): void {
  // Small buffers share Node's pool.
  if (buffer instanceof ArrayBuffer && buffer.byteLength > Buffer.poolSize) buffer.transfer(0);
}

/** Of bytes that come one after the other in pieces of the same memory: frees it with the last of them. */
export function freeWithLast(bytes: Uint8Array): void {
  if (bytes.byteOffset + bytes.byteLength === bytes.buffer.byteLength) freeMemory(bytes);
}
