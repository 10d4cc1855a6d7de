/**
 * Requests to one registry: where it answers, over https unless it need not be, with the proof of who asks.
 *
 * @see OCI distribution-spec v1.1, "API"
 */
import { isIP } from 'node:net';
import { PhylloError } from '../../errors.ts';
import type { HttpClient, HttpRequest } from '../../http/http-client.ts';
import type { HttpResponse } from '../../http/http-response.ts';
import type { Authenticator } from './authenticator.ts';
import { registryError } from './registry-error.ts';
import { registryHost } from './registry-reference.ts';

export interface RegistryClientOptions {
  /** As in `RegistryReference`. */
  readonly host: string;
  /** Stays open; whoever made it closes it. */
  readonly http: HttpClient;
  /** Called once, with the address at which the registry answers. */
  readonly authenticator: (registry: URL) => Authenticator;
  /** Whether plain http will do where https does not work; loopback addresses may always use it. */
  readonly insecure?: boolean;
}

export interface RegistryRequest extends Omit<HttpRequest, 'url'> {
  /** Beginning with `/v2/`, or an address that the registry gave as a `Location`. */
  readonly to: string | URL;
  /** What the request needs to be allowed: `repository:NAME:pull,push`. */
  readonly scopes: readonly string[];
}

export interface RegistryRetry {
  /** The one that failed, from 1. */
  readonly attempt: number;
  /** For the message. */
  readonly what: string;
  readonly signal?: AbortSignal | undefined;
}

interface Connection {
  readonly base: URL;
  readonly authenticator: Authenticator;
}

/** A stale token, then a fresh one whose service did not know what was needed. */
const MAX_CHALLENGES = 2;

export class RegistryClient {
  readonly host: string;
  readonly #options: RegistryClientOptions;
  #connection: Promise<Connection> | undefined;

  constructor(options: RegistryClientOptions) {
    this.host = options.host;
    this.#options = options;
  }

  /**
   * Sends a request, again with what the registry demands where it answers 401. A body that is a function is sent once: a second
   * time is the caller's decision, and the 401 is learnt from and given back.
   * @throws PhylloError NETWORK_FAILED, REGISTRY_UNAUTHORIZED, and what finding credentials throws
   */
  async send({ to, scopes, headers, ...request }: RegistryRequest): Promise<HttpResponse> {
    const { base, authenticator } = await this.#connect();
    const url = new URL(to, base);
    const isOwn = url.origin === base.origin;
    for (let challenges = 0; ; challenges += 1) {
      const authorization = isOwn ? await authenticator.authorization(scopes) : undefined;
      const proof = authorization === undefined ? {} : { authorization };
      const response = await this.#options.http.send({ ...request, url, headers: { ...headers, ...proof } });
      if (response.status !== 401 || !isOwn || challenges === MAX_CHALLENGES) return response;
      if (!(await authenticator.challenged(response, scopes))) return response;
      if (typeof request.body === 'function') return response;
      await response.discard();
    }
  }

  /**
   * Waits before another attempt at something that failed and may pass.
   * @throws the failure, when the registry asks for too long a time; the signal's reason
   */
  async waitBeforeRetry(
    outcome: HttpResponse | Error,
    { attempt, what, signal }: RegistryRetry,
  ): Promise<void> {
    const response = outcome instanceof Error ? undefined : outcome;
    const waited = await this.#options.http.waitBeforeRetry(response, { attempt, signal });
    if (!waited && response !== undefined) throw await registryError(response, what);
    await response?.discard();
  }

  #connect(): Promise<Connection> {
    this.#connection ??= this.#findAddress().then((base) => ({
      base,
      authenticator: this.#options.authenticator(base),
    }));
    return this.#connection;
  }

  async #findAddress(): Promise<URL> {
    const { host, insecure = false } = this.#options;
    const [https, http] = ['https', 'http'].map(
      (scheme) => new URL(`${scheme}://${registryHost(host)}/`),
    ) as [URL, URL];
    if (isLoopback(http.hostname)) return (await this.#isRegistry(http)) ? http : https;
    return !insecure || (await this.#isRegistry(https)) ? https : http;
  }

  /** A server for https that is asked over http answers 400, or nothing. @see OCI distribution-spec v1.1, "end-1" */
  async #isRegistry(base: URL): Promise<boolean> {
    try {
      const response = await this.#options.http.send({ url: new URL('/v2/', base), retries: 1 });
      await response.discard();
      return response.status !== 400;
    } catch (error) {
      if (error instanceof PhylloError && error.code === 'NETWORK_FAILED') return false;
      throw error;
    }
  }
}

/** @param hostname of a URL */
function isLoopback(hostname: string): boolean {
  const isName = isIP(hostname) === 0 && hostname !== '[::1]';
  return isName ? /(^|\.)localhost$/.test(hostname) : hostname.startsWith('127.') || hostname === '[::1]';
}
