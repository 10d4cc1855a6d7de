/**
 * Decompresses bzip2.
 *
 * Steps of a block: Huffman-coded symbols (up to six tables, a selector for every 50 symbols) → zero runs and move-to-front
 * → inverse Burrows-Wheeler transform → runs of four equal bytes and a count. Memory: 4 bytes for each byte of a block
 * (3.6 MB at level 9), whatever the input says. Streams one after the other are one (as pbzip2 writes them).
 *
 * Ours because the libraries there are hold a block's whole output, 46 MB from 45 bytes at the worst, or all blocks of what they were
 * given at a time, so that a small hostile file fills the memory.
 *
 * No block of 900,000 symbols takes more than `MAX_BLOCK_BYTES` of input: with so much at hand it can go on without asking for more.
 *
 * @see Julian Seward, bzip2 1.0 manual; J. Tsai, "BZIP2: Format Specification"
 */

const BLOCK_MAGIC = 0x314159265359;
const END_MAGIC = 0x177245385090;
const GROUP_SIZE = 50;
const MAX_CODE_LENGTH = 20;
const OUTPUT_BYTES = 256 * 1024;
/** 20 bits for each symbol, and 100 KB for what comes before them. */
export const MAX_BLOCK_BYTES = (900_000 * MAX_CODE_LENGTH) / 8 + 100_000;

/**
 * @param pull the next input bytes, undefined at the end
 * @yields chunks of their own memory, at least one for each block
 * @throws Error that says what is wrong with the input
 */
export function* decompressBzip2(pull: () => Uint8Array | undefined): Generator<Buffer, void, undefined> {
  const bits = new BitReader(pull);
  const output = new RunOutput();
  do {
    const blockSize = readStreamHeader(bits);
    for (let combined = 0; ;) {
      const magic = bits.read(24) * 2 ** 24 + bits.read(24);
      if (magic === END_MAGIC) {
        if (bits.read32() !== combined) throw new Error('the checksum of a bzip2 stream is wrong');
        break;
      }
      if (magic !== BLOCK_MAGIC) throw new Error('a bzip2 block does not begin where it should');
      const expected = bits.read32();
      yield* output.expand(readBlock(bits, blockSize));
      yield* output.rest();
      const crc = output.endBlock();
      if (crc !== expected) throw new Error('the checksum of a bzip2 block is wrong');
      combined = (((combined << 1) | (combined >>> 31)) ^ crc) >>> 0;
    }
    bits.alignToByte();
  } while (!bits.isEmpty());
}

class BitReader {
  readonly #pull: () => Uint8Array | undefined;
  #chunk: Uint8Array = new Uint8Array(0);
  #at = 0;
  #bits = 0;
  #count = 0;

  constructor(pull: () => Uint8Array | undefined) {
    this.#pull = pull;
  }

  /** The next 20 bits, not taken yet; zeros behind the end. */
  peekCode(): number {
    while (this.#count < MAX_CODE_LENGTH && !this.atEnd()) this.#append();
    const missing = MAX_CODE_LENGTH - this.#count;
    return missing > 0 ? this.#bits << missing : this.#bits >>> -missing;
  }

  /** Up to 24 bits. */
  read(count: number): number {
    while (this.#count < count) {
      if (this.atEnd()) throw new Error('the bzip2 stream ends before it is whole');
      this.#append();
    }
    this.#count -= count;
    const value = this.#bits >>> this.#count;
    // What is taken goes, so that the next shift overflows nothing.
    this.#bits &= (1 << this.#count) - 1;
    return value;
  }

  read32(): number {
    return this.read(16) * 2 ** 16 + this.read(16);
  }

  /** Leaves the rest of a byte out. */
  alignToByte(): void {
    this.read(this.#count % 8);
  }

  /** Whether nothing is left, not even what was read ahead. */
  isEmpty(): boolean {
    return this.#count === 0 && this.atEnd();
  }

  /** Whether no byte follows. */
  atEnd(): boolean {
    if (this.#at < this.#chunk.length) return false;
    while (this.#at === this.#chunk.length) {
      const next = this.#pull();
      if (next === undefined) return true;
      this.#chunk = next;
      this.#at = 0;
    }
    return false;
  }

  /** A byte more; there must be one. At most 31 bits are held. */
  #append(): void {
    this.#bits = (this.#bits << 8) | (this.#chunk[this.#at] as number);
    this.#at += 1;
    this.#count += 8;
  }
}

/** Bytes of a block at most. */
function readStreamHeader(bits: BitReader): number {
  const magic = bits.read(24);
  const level = bits.read(8) - 0x30;
  if (magic !== 0x425a68 || level < 1 || level > 9) throw new Error('not a bzip2 stream');
  return level * 100_000;
}

interface Block {
  /** Low byte: the transformed byte; the rest: where the next one is. */
  readonly links: Uint32Array;
  readonly length: number;
  readonly origin: number;
}

function readBlock(bits: BitReader, blockSize: number): Block {
  if (bits.read(1) === 1) throw new Error('randomised bzip2 blocks (before version 0.9.5) are not supported');
  const origin = bits.read(24);
  const alphabet = readAlphabet(bits);
  const { tableCount, selectors } = readSelectors(bits);
  const tables = Array.from({ length: tableCount }, () => readTable(bits, alphabet.length + 2));
  const block = readSymbols(bits, { alphabet, tables, selectors, blockSize });
  if (origin >= block.length) throw new Error('a bzip2 block has an origin outside of it');
  linkBlock(block);
  return { links: block.links, length: block.length, origin };
}

/** The byte values that the block has, ascending. */
function readAlphabet(bits: BitReader): number[] {
  const ranges = bits.read(16);
  const alphabet: number[] = [];
  for (let range = 0; range < 16; range += 1) {
    if ((ranges & (0x8000 >>> range)) === 0) continue;
    const used = bits.read(16);
    for (let i = 0; i < 16; i += 1) if ((used & (0x8000 >>> i)) !== 0) alphabet.push(range * 16 + i);
  }
  if (alphabet.length === 0) throw new Error('a bzip2 block uses no byte value');
  return alphabet;
}

function readSelectors(bits: BitReader): { readonly tableCount: number; readonly selectors: Uint8Array } {
  const tableCount = bits.read(3);
  const count = bits.read(15);
  if (tableCount < 2 || tableCount > 6 || count === 0) throw new Error('a bzip2 block has no valid tables');
  const order = Array.from({ length: tableCount }, (_, i) => i);
  const selectors = Uint8Array.from({ length: count }, () => {
    let position = 0;
    while (bits.read(1) === 1) position += 1;
    const [table] = order.splice(position, 1);
    if (table === undefined) throw new Error('a bzip2 block selects a table that it does not have');
    order.unshift(table);
    return table;
  });
  return { tableCount, selectors };
}

/** A canonical Huffman code. By length: the code that follows the last one, and what to subtract for the symbol's rank. */
interface Table {
  readonly limits: Int32Array;
  readonly offsets: Int32Array;
  /** By rank. */
  readonly symbols: Uint16Array;
}

function readTable(bits: BitReader, size: number): Table {
  const lengths = new Uint8Array(size);
  let length = bits.read(5);
  for (let symbol = 0; symbol < size; symbol += 1) {
    while (bits.read(1) === 1) length += bits.read(1) === 0 ? 1 : -1;
    if (length < 1 || length > MAX_CODE_LENGTH)
      throw new Error('a bzip2 block has a code of impossible length');
    lengths[symbol] = length;
  }
  return canonicalTable(lengths);
}

function canonicalTable(lengths: Uint8Array): Table {
  const limits = new Int32Array(MAX_CODE_LENGTH + 1);
  const offsets = new Int32Array(MAX_CODE_LENGTH + 1);
  const symbols: number[] = [];
  let code = 0;
  for (let length = 1; length <= MAX_CODE_LENGTH; length += 1) {
    offsets[length] = code - symbols.length;
    for (const [symbol, own] of lengths.entries()) if (own === length) symbols.push(symbol);
    code += symbols.length - (code - (offsets[length] as number));
    limits[length] = code;
    code *= 2;
  }
  return { limits, offsets, symbols: Uint16Array.from(symbols) };
}

function readSymbol(bits: BitReader, { limits, offsets, symbols }: Table): number {
  const ahead = bits.peekCode();
  for (let length = 1; length <= MAX_CODE_LENGTH; length += 1) {
    const code = ahead >>> (MAX_CODE_LENGTH - length);
    if (code >= (limits[length] as number)) continue;
    const symbol = symbols[code - (offsets[length] as number)];
    if (symbol === undefined) break;
    bits.read(length);
    return symbol;
  }
  throw new Error('a bzip2 block has a code that stands for nothing');
}

interface SymbolOptions {
  readonly alphabet: readonly number[];
  readonly tables: readonly Table[];
  readonly selectors: Uint8Array;
  readonly blockSize: number;
}

/** Undoes Huffman's code, zero runs and move-to-front: bytes in the low byte of `links`. */
function readSymbols(
  bits: BitReader,
  { alphabet, tables, selectors, blockSize }: SymbolOptions,
): { readonly links: Uint32Array; readonly length: number } {
  const links = new Uint32Array(blockSize);
  const order = [...alphabet];
  const endOfBlock = alphabet.length + 1;
  let length = 0;
  let run = 0;
  let runBit = 1;
  for (let count = 0; ; count += 1) {
    const selector = selectors[Math.floor(count / GROUP_SIZE)];
    if (selector === undefined) throw new Error('a bzip2 block has more symbols than selectors');
    const symbol = readSymbol(bits, tables[selector] as Table);
    if (symbol <= 1) {
      run += runBit << symbol;
      runBit <<= 1;
      if (run > blockSize) throw new Error('a bzip2 block is longer than it may be');
      continue;
    }
    if (length + run + (symbol === endOfBlock ? 0 : 1) > blockSize)
      throw new Error('a bzip2 block is longer than it may be');
    links.fill(order[0] as number, length, length + run);
    length += run;
    run = 0;
    runBit = 1;
    if (symbol === endOfBlock) return { links, length };
    const [byte] = order.splice(symbol - 1, 1) as [number];
    order.unshift(byte);
    links[length] = byte;
    length += 1;
  }
}

/** Adds to each byte where its successor is. */
function linkBlock({ links, length }: { readonly links: Uint32Array; readonly length: number }): void {
  const starts = new Uint32Array(257);
  for (let i = 0; i < length; i += 1) {
    const next = ((links[i] as number) & 0xff) + 1;
    starts[next] = (starts[next] as number) + 1;
  }
  for (let byte = 1; byte <= 256; byte += 1)
    starts[byte] = (starts[byte] as number) + (starts[byte - 1] as number);
  for (let i = 0; i < length; i += 1) {
    const byte = (links[i] as number) & 0xff;
    const place = starts[byte] as number;
    starts[byte] = place + 1;
    links[place] = ((links[place] as number) | (i << 8)) >>> 0;
  }
}

/** Undoes the first step, runs, and sums up the checksum. */
class RunOutput {
  #buffer = Buffer.allocUnsafe(OUTPUT_BYTES);
  #filled = 0;
  #crc = 0xffffffff;

  *expand({ links, length, origin }: Block): Generator<Buffer, void, undefined> {
    let link = links[origin] as number;
    let equal = 0;
    let previous = -1;
    for (let i = 0; i < length; i += 1) {
      link = links[link >>> 8] as number;
      const byte = link & 0xff;
      if (equal === 4) {
        for (let left = byte; left > 0; left -= 1) if (this.#push(previous)) yield this.#take();
        equal = 0;
        previous = -1;
        continue;
      }
      equal = byte === previous ? equal + 1 : 1;
      previous = byte;
      if (this.#push(byte)) yield this.#take();
    }
  }

  /** The checksum of all bytes since the last block. */
  endBlock(): number {
    const crc = ~this.#crc >>> 0;
    this.#crc = 0xffffffff;
    return crc;
  }

  *rest(): Generator<Buffer, void, undefined> {
    if (this.#filled > 0) yield this.#take();
  }

  /** Whether the buffer is full. */
  #push(byte: number): boolean {
    this.#buffer[this.#filled] = byte;
    this.#filled += 1;
    this.#crc = ((this.#crc << 8) ^ (CRC_TABLE[(this.#crc >>> 24) ^ byte] as number)) >>> 0;
    return this.#filled === OUTPUT_BYTES;
  }

  #take(): Buffer {
    const chunk = this.#buffer.subarray(0, this.#filled);
    this.#buffer = Buffer.allocUnsafe(OUTPUT_BYTES);
    this.#filled = 0;
    return chunk;
  }
}

/** CRC-32 with the highest bit first, unlike zlib's. */
const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 24;
  for (let bit = 0; bit < 8; bit += 1) crc = crc < 0 ? (crc << 1) ^ 0x04c11db7 : crc << 1;
  return crc >>> 0;
});
