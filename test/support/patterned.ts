/** Bytes for tests of compression: always the same ones, some of them in runs. */

/** @param shape `repeats: false` gives bytes that do not compress */
export function patterned(
  size: number,
  { repeats = true }: { readonly repeats?: boolean } = {},
): Buffer<ArrayBuffer> {
  const bytes = Buffer.alloc(size);
  let state = 0x9e3779b9;
  for (let at = 0; at < size; at += 1) {
    // xorshift32
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[at] = repeats && (at >>> 12) % 2 === 1 ? (at >>> 6) & 0xff : state & 0xff;
  }
  return bytes;
}
