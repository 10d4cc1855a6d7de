/**
 * An HTTP client for registries and binary caches: it repeats what may succeed the second time, follows redirects without
 * taking secrets to strangers, and keeps a bounded number of connections to each origin.
 *
 * @see RFC 9110
 */
import type { Dispatcher } from 'undici';
import { createDispatcher, type NetworkSettings } from './dispatcher.ts';
import { HttpResponse } from './http-response.ts';
import { networkError } from './network-error.ts';
import { type HttpMethod, nextRequest } from './redirect.ts';
import { isWorthRepeating, type RetrySettings, waitBeforeRetry } from './retry.ts';

export interface HttpSettings extends NetworkSettings, RetrySettings {
  /** Sent with every request. */
  readonly userAgent?: string;
  /** Milliseconds until an answer begins; 60 seconds when absent. */
  readonly answerTimeoutMs?: number;
  /** Milliseconds between two parts of an answer's body; 60 seconds when absent. */
  readonly bodyTimeoutMs?: number;
}

export interface HttpRequest {
  /** GET when absent. */
  readonly method?: HttpMethod;
  /** Its user name and password are not sent: they belong into a header. */
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  /** A function is called again for each attempt. Chunks must not be written to afterwards: they may wait in a queue. */
  readonly body?: Uint8Array | (() => AsyncIterable<Uint8Array>);
  /** How often to try again after failures that may pass; the client's own number when absent. */
  readonly retries?: number;
  /** `manual`: an answer that redirects is given back as it is. */
  readonly redirect?: 'follow' | 'manual';
  /** As in the settings, for this request alone. */
  readonly answerTimeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
}

const TIMEOUT_MS = 60_000;
const MAX_REDIRECTS = 10;

export class HttpClient implements AsyncDisposable {
  readonly #settings: HttpSettings;
  #dispatcher: Promise<Dispatcher> | undefined;

  /** Nothing is connected yet. Whoever makes it closes it. */
  constructor(settings: HttpSettings = {}) {
    this.#settings = settings;
  }

  /**
   * Gives whatever the server finally answers, errors included; the caller reads the body to its end or discards it.
   * @throws PhylloError NETWORK_FAILED when no answer came, or a redirect that must not be followed; the signal's reason
   */
  async send(request: HttpRequest): Promise<HttpResponse> {
    const attempts = (request.retries ?? this.#settings.retries ?? 4) + 1;
    for (let attempt = 1; ; attempt += 1) {
      const isLast = attempt === attempts;
      const outcome = await this.#follow(request).catch((error: unknown) => {
        request.signal?.throwIfAborted();
        if (isLast || !isWorthRepeating(error)) throw error;
        return undefined;
      });
      if (outcome !== undefined && (isLast || !isWorthRepeating(outcome))) return outcome;
      await outcome?.discard();
      const waited = await waitBeforeRetry(outcome, { ...this.#settings, attempt, signal: request.signal });
      if (!waited && outcome !== undefined) return outcome;
    }
  }

  /**
   * Waits as it does itself between attempts, for those who repeat more than one request.
   * @returns false when the server asks for too long a time
   * @throws the signal's reason
   */
  async waitBeforeRetry(
    outcome: HttpResponse | undefined,
    options: { readonly attempt: number; readonly signal?: AbortSignal | undefined },
  ): Promise<boolean> {
    return await waitBeforeRetry(outcome, { ...this.#settings, ...options });
  }

  /** Ends all connections, also those in use. Idempotent. */
  async close(): Promise<void> {
    await (await this.#dispatcher)?.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #follow(first: HttpRequest): Promise<HttpResponse> {
    let request = first;
    for (let redirects = 0; ; redirects += 1) {
      const response = await this.#sendOnce(request);
      const next = request.redirect === 'manual' ? undefined : nextRequest(request, response);
      if (next === undefined) return response;
      await response.discard();
      if (redirects === MAX_REDIRECTS) throw networkError(first.url, new Error('it redirects without end'));
      request = next;
    }
  }

  async #sendOnce({
    method = 'GET',
    url,
    headers,
    body,
    signal,
    ...request
  }: HttpRequest): Promise<HttpResponse> {
    const { userAgent = 'phyllo', answerTimeoutMs = TIMEOUT_MS, bodyTimeoutMs = TIMEOUT_MS } = this.#settings;
    const target = new URL(url);
    target.username = '';
    target.password = '';
    this.#dispatcher ??= createDispatcher(this.#settings);
    const dispatcher = await this.#dispatcher;
    const { request: sendOnce } = await import('undici');
    try {
      const answer = await sendOnce(target, {
        dispatcher,
        method,
        headers: { 'user-agent': userAgent, ...headers },
        body: typeof body === 'function' ? body() : (body ?? null),
        headersTimeout: request.answerTimeoutMs ?? answerTimeoutMs,
        bodyTimeout: bodyTimeoutMs,
        ...(signal === undefined ? {} : { signal }),
      } as Parameters<typeof sendOnce>[1]);
      return new HttpResponse(answer, target);
    } catch (cause) {
      signal?.throwIfAborted();
      throw networkError(target, cause);
    }
  }
}
