/**
 * The lower half of reading a NAR: cuts its bytes, which come in chunks of any size, into tokens.
 *
 * A *token* is a length (8 bytes, little endian), that many bytes, and zeros up to a multiple of 8. A file's contents have
 * the same form but no limit; they pass through uncopied. Nothing is allocated on the strength of a length that the input
 * claims.
 *
 * @see Nix manual, "Nix Archive (NAR) format": `str`
 */
import { PhylloError } from '../errors.ts';

/** What follows a token. */
export type Expected = 'token' | 'contents' | 'end';

/** What is told of the tokens. */
export interface TokenSink {
  /** @param text latin1 */
  token(text: string): Expected;
  /** A file's contents begin; a token follows them. @param size bytes, up to 2^53 - 1 */
  contents(size: number): void;
  /** Never empty; the chunks' lengths add up to the size. The chunk is valid during the call only. */
  data(chunk: Uint8Array): void;
}

export interface NarTokensOptions {
  readonly sink: TokenSink;
  /** How errors call the NAR: its file. */
  readonly name: string;
}

type State = Expected | 'data' | 'padding';

/** Above any name (255) and target (4,095) that Linux has. */
const MAX_TOKEN_LENGTH = 4096;
const LENGTH_BYTES = 8;
const ALIGNMENT = 8;
const TWO_TO_32 = 2 ** 32;

/** After an error it is of no use. */
export class NarTokens {
  readonly #sink: TokenSink;
  readonly #name: string;
  /** The token, or length of contents, whose end has not come yet, and how much of it is there. */
  readonly #carry = Buffer.alloc(LENGTH_BYTES + MAX_TOKEN_LENGTH);
  #carried = 0;
  #state: State = 'token';
  #offset = 0;
  /** Bytes of contents, and of the padding after them, that are still to come. */
  #remaining = 0;
  #padding = 0;

  constructor({ sink, name }: NarTokensOptions) {
    this.#sink = sink;
    this.#name = name;
  }

  /** @throws PhylloError NAR_INVALID; and what the sink throws */
  push(chunk: Uint8Array): void {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    for (let at = 0; at < bytes.length;) at = this.#step(bytes, at);
  }

  /** @throws PhylloError NAR_INVALID when the NAR is cut off */
  end(): void {
    if (this.#state === 'end') return;
    this.#offset += this.#carried;
    throw this.invalid('it is cut off');
  }

  /** An error at the token, contents or padding at hand. */
  invalid(problem: string): PhylloError {
    return new PhylloError('NAR_INVALID', `not a NAR: ${this.#name}: at byte ${this.#offset}: ${problem}`, {
      hint: 'the file is damaged or not a NAR: copy it again from where it came from',
    });
  }

  /** Consumes at least one byte and gives the place of the next. */
  #step(bytes: Buffer, at: number): number {
    switch (this.#state) {
      case 'token':
      case 'contents':
        return this.#carried > 0 ? this.#continueToken(bytes, at) : this.#takeToken(bytes, at);
      case 'data':
        return this.#takeData(bytes, at);
      case 'padding':
        return this.#takePadding(bytes, at);
      case 'end':
        break;
    }
    throw this.invalid('there is more after its end');
  }

  /** A token that lies within the chunk is read in place: nearly all do. */
  #takeToken(bytes: Buffer, at: number): number {
    const there = bytes.length - at;
    const length = there < LENGTH_BYTES ? Infinity : this.#wholeLength(bytes, at);
    if (length > there) return this.#continueToken(bytes, at);
    this.#readToken(bytes, at, length);
    return at + length;
  }

  /** Adds to a token that began in an earlier chunk: first up to the end of its length, then up to its own end. */
  #continueToken(bytes: Buffer, at: number): number {
    const wanted = this.#carried < LENGTH_BYTES ? LENGTH_BYTES : this.#wholeLength(this.#carry, 0);
    const copied = bytes.copy(
      this.#carry,
      this.#carried,
      at,
      Math.min(bytes.length, at + wanted - this.#carried),
    );
    this.#carried += copied;
    if (this.#carried >= LENGTH_BYTES) this.#endToken(this.#wholeLength(this.#carry, 0));
    return at + copied;
  }

  #endToken(length: number): void {
    if (this.#carried < length) return;
    this.#carried = 0;
    this.#readToken(this.#carry, 0, length);
  }

  /** Length and padding included; of contents the length alone. */
  #wholeLength(bytes: Buffer, at: number): number {
    if (this.#state === 'contents') return LENGTH_BYTES;
    const length = readLength(bytes, at);
    if (length <= MAX_TOKEN_LENGTH) return LENGTH_BYTES + length + paddingOf(length);
    throw this.invalid(`expected a token of at most ${MAX_TOKEN_LENGTH} bytes, and this has ${length}`);
  }

  #readToken(bytes: Buffer, at: number, length: number): void {
    const size = readLength(bytes, at);
    if (this.#state === 'contents') this.#beginData(size);
    else this.#endText(bytes.subarray(at + LENGTH_BYTES, at + length), size);
    this.#offset += length;
  }

  #endText(body: Buffer, length: number): void {
    for (let at = length; at < body.length; at += 1) {
      if (body[at] !== 0) throw this.invalid('the padding is not zero');
    }
    this.#state = this.#sink.token(body.toString('latin1', 0, length));
  }

  #beginData(size: number): void {
    if (size > Number.MAX_SAFE_INTEGER) throw this.invalid('the contents have more than 2^53 - 1 bytes');
    this.#sink.contents(size);
    this.#remaining = size;
    this.#padding = paddingOf(size);
    this.#state = size > 0 ? 'data' : 'token';
  }

  #takeData(bytes: Buffer, at: number): number {
    const end = Math.min(bytes.length, at + this.#remaining);
    this.#sink.data(bytes.subarray(at, end));
    this.#remaining -= end - at;
    this.#offset += end - at;
    if (this.#remaining === 0) this.#state = this.#padding > 0 ? 'padding' : 'token';
    return end;
  }

  #takePadding(bytes: Buffer, at: number): number {
    if (bytes[at] !== 0) throw this.invalid('the padding is not zero');
    this.#padding -= 1;
    this.#offset += 1;
    if (this.#padding === 0) this.#state = 'token';
    return at + 1;
  }
}

/** Inexact above 2^53, where it is an error anyway. */
function readLength(bytes: Buffer, at: number): number {
  return bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4) * TWO_TO_32;
}

function paddingOf(length: number): number {
  return (ALIGNMENT - (length % ALIGNMENT)) % ALIGNMENT;
}
