/**
 * gzip by libdeflate, as WebAssembly: little more than half of the time that the zlib in Node.js takes for the same size
 * (bench/README.md), and the same bytes on every processor. `wasm/` is where it comes from.
 */
import { readFileSync } from 'node:fs';

/** Of the library: another one makes other bytes. */
export const GZIP_LIBRARY = 'libdeflate-1.23';

/** The exports of `wasm/gzip.c`. Addresses are offsets into `memory`. */
interface Program {
  readonly memory: WebAssembly.Memory;
  readonly open_compressor: (level: number) => number;
  readonly open_buffer: (size: number) => number;
  readonly compress: (
    compressor: number,
    input: number,
    inputSize: number,
    output: number,
    outputSize: number,
  ) => number;
}

let program: WebAssembly.Module | undefined;

/** Takes a few MiB for as long as it lives. */
export class GzipCompressor {
  readonly #program: Program;
  readonly #compressor: number;
  readonly #input: number;
  readonly #inputSize: number;
  readonly #output: number;
  readonly #outputSize: number;

  /**
   * @param options level: 1 to 12; sizes: bytes, of what is compressed and of what comes of it at most
   * @throws RangeError when it cannot be had
   */
  constructor({ level, inputSize, outputSize }: GzipOptions) {
    program ??= new WebAssembly.Module(readFileSync(new URL('gzip.wasm', import.meta.url)));
    this.#program = new WebAssembly.Instance(program).exports as unknown as Program;
    this.#compressor = this.#program.open_compressor(level);
    this.#input = this.#program.open_buffer(inputSize);
    this.#output = this.#program.open_buffer(outputSize);
    this.#inputSize = inputSize;
    this.#outputSize = outputSize;
    if (this.#compressor === 0 || this.#input === 0 || this.#output === 0)
      throw new RangeError(`no gzip compressor of level ${level} for ${inputSize} bytes`);
  }

  /**
   * One gzip member, in memory of its own.
   * @throws RangeError when the input or the output is larger than was said
   * @see RFC 1952, "File format"
   */
  compress(bytes: Uint8Array): Buffer {
    if (bytes.length > this.#inputSize) throw new RangeError(`${bytes.length} bytes are too many`);
    new Uint8Array(this.#program.memory.buffer).set(bytes, this.#input);
    const size = this.#program.compress(
      this.#compressor,
      this.#input,
      bytes.length,
      this.#output,
      this.#outputSize,
    );
    if (size === 0) throw new RangeError(`${bytes.length} bytes take more than ${this.#outputSize}`);
    return Buffer.from(new Uint8Array(this.#program.memory.buffer, this.#output, size));
  }
}

export interface GzipOptions {
  readonly level: number;
  readonly inputSize: number;
  readonly outputSize: number;
}
