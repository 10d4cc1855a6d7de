/** Answers what a registry demands: with a user's name and password, or with tokens of the service that it names. */
import type { HttpClient } from '../../http/http-client.ts';
import type { HttpResponse } from '../../http/http-response.ts';
import { resolveLocation } from '../../http/redirect.ts';
import type { Authenticator } from './authenticator.ts';
import { type Challenge, parseChallenges } from './challenge.ts';
import { basicAuthorization, type Credentials } from './credential-types.ts';
import { type CredentialSettings, findCredentials } from './credentials.ts';
import type { RegistriesOptions } from './registries.ts';
import { mergeScopes, repositoryOf } from './scopes.ts';
import { TokenCache } from './token-cache.ts';
import { fetchToken, type Token } from './token-service.ts';

export interface AuthenticatorOptions {
  /** For the token service. Stays open. */
  readonly http: HttpClient;
  /** Where the registry is: what it demands from elsewhere is not given. */
  readonly registry: URL;
  /** Asked once for each repository, when they are needed. */
  readonly credentials: (repository: string | undefined) => Promise<Credentials | undefined>;
}

/** For `Registries`: everybody is who these settings say. */
export function authenticateWith(
  settings: CredentialSettings,
): NonNullable<RegistriesOptions['authenticator']> {
  return (host, request) =>
    new RegistryAuthenticator({
      ...request,
      credentials: async (repository) => await findCredentials({ host, repository }, settings),
    });
}

type Method = { readonly kind: 'basic' } | TokenMethod;

interface TokenMethod {
  readonly kind: 'bearer';
  readonly realm: URL;
  readonly service: string | undefined;
}

export class RegistryAuthenticator implements Authenticator {
  readonly #options: AuthenticatorOptions;
  readonly #tokens = new TokenCache();
  readonly #credentials = new Map<string | undefined, Promise<Credentials | undefined>>();
  /** Undefined until the registry has demanded something. */
  #method: Method | undefined;

  constructor(options: AuthenticatorOptions) {
    this.#options = options;
  }

  async authorization(scopes: readonly string[]): Promise<string | undefined> {
    if (this.#method === undefined) return undefined;
    if (this.#method.kind === 'basic') return await this.#password(scopes);
    return await this.#token(this.#method, scopes);
  }

  async challenged(response: HttpResponse, scopes: readonly string[]): Promise<boolean> {
    if (response.url.origin !== this.#options.registry.origin) return false;
    const challenges = parseChallenges(response.header('www-authenticate'));
    const bearer = challenges.find(({ scheme }) => scheme === 'bearer');
    if (bearer !== undefined) return await this.#useTokens(bearer, scopes);
    if (!challenges.some(({ scheme }) => scheme === 'basic')) return false;
    this.#method = { kind: 'basic' };
    return (await this.#password(scopes)) !== undefined;
  }

  async #useTokens({ parameters }: Challenge, scopes: readonly string[]): Promise<boolean> {
    const location = parameters.get('realm') ?? '';
    if (location === '') return false;
    const realm = resolveLocation(location, this.#options.registry);
    this.#method = { kind: 'bearer', realm, service: parameters.get('service') };
    this.#tokens.drop(mergeScopes(scopes));
    // The registry may know better what its answer takes.
    const demanded = parameters.get('scope')?.split(' ') ?? [];
    await this.#token(this.#method, scopes, [...scopes, ...demanded]);
    return true;
  }

  /** @param wanted what the token is asked for, where that is more than it is kept for */
  async #token(
    { realm, service }: TokenMethod,
    scopes: readonly string[],
    wanted: readonly string[] = scopes,
  ): Promise<string> {
    const { http, registry } = this.#options;
    const fetch = async (): Promise<Token> => {
      const credentials = await this.#find(scopes);
      const allowsPlainHttp = realm.origin === registry.origin;
      return await fetchToken({
        http,
        realm,
        service,
        scopes: mergeScopes(wanted),
        credentials,
        allowsPlainHttp,
      });
    };
    return `Bearer ${await this.#tokens.get(mergeScopes(scopes), fetch)}`;
  }

  async #password(scopes: readonly string[]): Promise<string | undefined> {
    const credentials = await this.#find(scopes);
    return credentials?.kind === 'password' ? basicAuthorization(credentials) : undefined;
  }

  async #find(scopes: readonly string[]): Promise<Credentials | undefined> {
    const repository = scopes.map(repositoryOf).find((name) => name !== undefined);
    const known = this.#credentials.get(repository) ?? this.#options.credentials(repository);
    this.#credentials.set(repository, known);
    return await known;
  }
}
