/** What a binary cache is told about who asks. Nothing here is ever in a message. */
import type { HttpPlace } from './store-place.ts';

export interface CacheCredentials {
  /** The first that is for a host counts. */
  readonly logins: readonly Login[];
  /** Bearer tokens by host, with the port where it has one. */
  readonly tokens: ReadonlyMap<string, string>;
}

export interface Login {
  /** Without a port; undefined: for every host that none before it is for. */
  readonly machine: string | undefined;
  readonly login: string;
  readonly password: string;
}

const NONE: CacheCredentials = { logins: [], tokens: new Map() };

/** The Authorization header: the address's own user goes before a token, and a token before a login. */
export function authorizationFor(
  { url, user }: Pick<HttpPlace, 'url' | 'user'>,
  { logins, tokens }: CacheCredentials = NONE,
): string | undefined {
  if (user !== undefined) return basic(user.name, user.password);
  const token = tokens.get(url.host);
  if (token !== undefined) return `Bearer ${token}`;
  const found = logins.find(({ machine }) => machine === undefined || machine === url.hostname);
  return found === undefined ? undefined : basic(found.login, found.password);
}

function basic(name: string, password: string): string {
  return `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`;
}

const WORDS = /"((?:[^"\\]|\\.)*)"|(\S+)/g;

/**
 * The logins of a netrc file, in its order. Macros and words that are not known are left out.
 * @see curl's documentation, "netrc"
 */
export function parseNetrc(text: string): readonly Login[] {
  const withoutMacros = text.replaceAll(/^\s*macdef\b.*(?:\n.+)*/gm, '').replaceAll(/^\s*#.*$/gm, '');
  const words = [...withoutMacros.matchAll(WORDS)].map(
    ([, quoted, bare]) => quoted?.replaceAll(/\\(.)/gs, '$1') ?? bare ?? '',
  );
  const logins: { machine: string | undefined; login: string; password: string }[] = [];
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at];
    const last = logins.at(-1);
    if (word === 'default') logins.push({ machine: undefined, login: '', password: '' });
    else if (word === 'machine') logins.push({ machine: words[(at += 1)] ?? '', login: '', password: '' });
    else if (word === 'login' && last !== undefined) last.login = words[(at += 1)] ?? '';
    else if (word === 'password' && last !== undefined) last.password = words[(at += 1)] ?? '';
    else if (word === 'account') at += 1;
  }
  return logins;
}
