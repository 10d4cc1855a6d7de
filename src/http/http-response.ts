/** A server's answer, whose body is read at most once. */
import type { Dispatcher } from 'undici';
import { networkError } from './network-error.ts';

export class HttpResponse {
  readonly status: number;
  /** Where it came from, after redirects. */
  readonly url: URL;
  readonly #answer: Dispatcher.ResponseData<unknown>;

  constructor(answer: Dispatcher.ResponseData<unknown>, url: URL) {
    this.#answer = answer;
    this.status = answer.statusCode;
    this.url = url;
  }

  /** Of several headers with the name, all, joined by commas. @param name in any case */
  header(name: string): string | undefined {
    const value = this.#answer.headers[name.toLowerCase()];
    return Array.isArray(value) ? value.join(', ') : value;
  }

  /**
   * The body's chunks. Ending early cuts the connection.
   * @throws PhylloError NETWORK_FAILED when it ends before it is whole
   */
  async *body(): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      for await (const chunk of this.#answer.body) yield chunk as Uint8Array;
    } catch (cause) {
      throw networkError(this.url, cause);
    }
  }

  /**
   * The whole body.
   * @param limit bytes, at most
   * @throws PhylloError NETWORK_FAILED when there is more, or it ends before it is whole
   */
  async bytes(limit: number): Promise<Buffer> {
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of this.body()) {
      size += chunk.length;
      if (size > limit) throw networkError(this.url, new Error(`the answer has more than ${limit} bytes`));
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  }

  /** As `bytes`, as UTF-8. */
  async text(limit: number): Promise<string> {
    return (await this.bytes(limit)).toString('utf8');
  }

  /** Reads on if there is little left, so that the connection can be used again, else cuts it. Never throws. */
  async discard(): Promise<void> {
    await this.#answer.body.dump({ limit: 64 * 1024 }).catch(() => undefined);
  }
}
