/** Credentials as values, and the names under which registries are kept. */

export type Credentials = PasswordCredentials | IdentityToken;

export interface PasswordCredentials {
  readonly kind: 'password';
  readonly user: string;
  readonly password: string;
}

/** What a token service gives tokens for, in place of a password. */
export interface IdentityToken {
  readonly kind: 'identityToken';
  readonly token: string;
}

/** Under this name Docker keeps what is for its hub. */
export const DOCKER_HUB_KEY = 'https://index.docker.io/v1/';
const DOCKER_HUB_HOSTS: ReadonlySet<string> = new Set([
  'docker.io',
  'index.docker.io',
  'registry-1.docker.io',
]);

/** One name for a registry, in lower case, however a file or a user writes it. */
export function normalHost(text: string): string {
  const host = (text.replace(/^https?:\/\//, '').split('/')[0] as string).toLowerCase();
  return DOCKER_HUB_HOSTS.has(host) ? 'docker.io' : host;
}

/** The name that Docker's files and helpers have for it. */
export function dockerKey(host: string): string {
  const name = normalHost(host);
  return name === 'docker.io' ? DOCKER_HUB_KEY : name;
}

/** @see RFC 7617 */
export function basicAuthorization({ user, password }: PasswordCredentials): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}
