/** The registries that one run talks to: one client for each, over connections that they share. */
import { HttpClient, type HttpSettings } from '../../http/http-client.ts';
import { ANONYMOUS, type Authenticator } from './authenticator.ts';
import { RegistryClient } from './registry-client.ts';

export interface RegistriesOptions {
  readonly network?: HttpSettings;
  /** Hosts, with their ports, that may be talked to over plain http. */
  readonly insecure?: readonly string[];
  /** For a host and the address at which it answers. Nobody proves anything when absent. */
  readonly authenticator?: (host: string, request: AuthenticatorRequest) => Authenticator;
}

export interface AuthenticatorRequest {
  readonly registry: URL;
  readonly http: HttpClient;
}

/** Whoever makes it closes it. */
export class Registries implements AsyncDisposable {
  readonly #http: HttpClient;
  readonly #options: RegistriesOptions;
  readonly #clients = new Map<string, RegistryClient>();

  /** Nothing is connected yet. */
  constructor(options: RegistriesOptions = {}) {
    this.#options = options;
    this.#http = new HttpClient(options.network);
  }

  /** The same one each time. @param host as in `RegistryReference` */
  client(host: string): RegistryClient {
    const known = this.#clients.get(host);
    if (known !== undefined) return known;
    const { insecure = [], authenticator } = this.#options;
    const client = new RegistryClient({
      host,
      http: this.#http,
      insecure: insecure.includes(host),
      authenticator: (registry) => authenticator?.(host, { registry, http: this.#http }) ?? ANONYMOUS,
    });
    this.#clients.set(host, client);
    return client;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#http.close();
  }
}
