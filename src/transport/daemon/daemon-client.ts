/** The HTTP API of a Docker engine, over its socket. Podman's service speaks the same. @see Docker Engine API v1.41 */
import { HttpClient } from '../../http/http-client.ts';
import type { HttpResponse } from '../../http/http-response.ts';
import type { HttpMethod } from '../../http/redirect.ts';
import { type DaemonAddress, describeAddress } from './daemon-address.ts';
import { daemonError, daemonFailure, refusal } from './daemon-error.ts';

export interface DaemonRequest {
  readonly method?: HttpMethod;
  /** Its variables are encoded: see `imagePath`. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: () => AsyncIterable<Uint8Array>;
  /** Whether the engine may take as long as it likes before it answers. */
  readonly isLong?: boolean;
}

const MAX_DOCUMENT_BYTES = 64 * 1024 * 1024;

/** Whoever makes it closes it. */
export class DaemonClient implements AsyncDisposable {
  readonly address: DaemonAddress;
  readonly #http: HttpClient;
  readonly #origin: string;
  readonly #signal: AbortSignal | undefined;

  /** Nothing is connected yet. @param signal stops all requests */
  constructor(address: DaemonAddress, { signal }: { readonly signal?: AbortSignal | undefined } = {}) {
    this.address = address;
    this.#signal = signal;
    const tls = address.kind === 'tcp' ? address.tls : undefined;
    this.#origin =
      address.kind === 'socket' ? 'http://docker' : `http${tls === undefined ? '' : 's'}://${address.host}`;
    const endpoint =
      address.kind === 'socket'
        ? address
        : tls === undefined
          ? undefined
          : ({ kind: 'tls', ...tls } as const);
    // What is loaded may take long; what was refused is not better the second time.
    this.#http = new HttpClient({ endpoint, retries: 0, bodyTimeoutMs: 0 });
  }

  /** Where it is, for messages. */
  get name(): string {
    return describeAddress(this.address);
  }

  /**
   * Whatever the engine answers, errors included; the caller reads the body to its end or discards it.
   * @throws PhylloError DAEMON_UNREACHABLE, DAEMON_FAILED when it is cut off; what `body` throws; the signal's reason
   */
  async send({ path, isLong = false, ...request }: DaemonRequest): Promise<HttpResponse> {
    const url = new URL(`${this.#origin}${path}`);
    const signal = this.#signal;
    const timeout = isLong ? { answerTimeoutMs: 0 } : {};
    return await this.#translated(
      async () => await this.#http.send({ ...request, url, redirect: 'manual', signal, ...timeout }),
    );
  }

  /** A document; undefined when there is none (404). @throws as send; PhylloError DAEMON_FAILED for any other status */
  async find(path: string): Promise<unknown> {
    const response = await this.send({ path });
    if (response.status === 404) {
      await response.discard();
      return undefined;
    }
    if (response.status !== 200) throw await refusal(response, `does not answer ${path.split('?')[0]}`);
    const text = await this.text(response);
    try {
      return JSON.parse(text) as unknown;
    } catch {
      throw daemonFailure(
        `at ${this.name} makes no sense`,
        'its answer is not JSON; is it an engine at all?',
      );
    }
  }

  /** What is left of an answer. @throws as send */
  async text(response: HttpResponse): Promise<string> {
    return await this.#translated(async () => await response.text(MAX_DOCUMENT_BYTES));
  }

  /** The body of an answer that is as long as it likes. @throws as send */
  async *body(response: HttpResponse): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      yield* response.body();
    } catch (cause) {
      throw daemonError(this.address, cause);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#http.close();
  }

  async #translated<T>(action: () => Promise<T>): Promise<T> {
    try {
      return await action();
    } catch (cause) {
      throw daemonError(this.address, cause);
    }
  }
}

/** Where the API has an image, and what it tells of it. @param name with tag, or an image ID */
export function imagePath(name: string, what: string): string {
  return `/images/${name.split('/').map(encodeURIComponent).join('/')}/${what}`;
}
