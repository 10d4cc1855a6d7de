/** How the environment says that networks are to be talked to. */
import { existsSync, readFileSync } from 'node:fs';
import { type HttpSettings, PhylloError, reasonOf } from '../index.ts';
import { usageError } from './usage-error.ts';
import { version } from './version.ts';

/** @throws PhylloError FILE_UNREADABLE for a file of certificates; UsageError for proxies that are none */
export function networkSettings(): HttpSettings {
  return {
    userAgent: `phyllo/${version()}`,
    proxies: proxiesFrom(process.env),
    certificates: [process.env['NIX_SSL_CERT_FILE'] || process.env['SSL_CERT_FILE']]
      .filter((file) => file !== undefined && file !== '')
      .map((file) => readCertificates(file as string))
      .filter((certificates) => certificates !== ''),
  };
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * As curl and most others read them: small letters win, and `all_proxy` is for what has none of its own.
 * @throws UsageError
 */
export function proxiesFrom(environment: Environment): NonNullable<HttpSettings['proxies']> {
  const all = proxy(environment, 'all_proxy');
  return {
    http: proxy(environment, 'http_proxy') ?? all,
    https: proxy(environment, 'https_proxy') ?? all,
    no: variable(environment, 'no_proxy'),
  };
}

function proxy(environment: Environment, name: string): string | undefined {
  const value = variable(environment, name);
  if (value === undefined) return undefined;
  const url = URL.parse(value.includes('://') ? value : `http://${value}`);
  if (url !== null && /^https?:$/.test(url.protocol)) return url.href;
  // What it says may have a password.
  throw usageError(
    `the proxy that ${name} names cannot be used`,
    'give it as http://HOST:PORT or https://HOST:PORT; SOCKS is not spoken',
  );
}

/** To a program that a web server starts, `HTTP_PROXY` is what its client says with a header `Proxy:`. */
function variable(environment: Environment, name: string): string | undefined {
  const isForged = name === 'http_proxy' && environment['REQUEST_METHOD'] !== undefined;
  return environment[name] || (isForged ? undefined : environment[name.toUpperCase()]) || undefined;
}

/** Node reads NODE_EXTRA_CA_CERTS itself. A file that is not there counts as empty: Nix's builders name such a one. */
function readCertificates(file: string): string {
  try {
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  } catch (cause) {
    throw new PhylloError('FILE_UNREADABLE', `cannot read the certificates in ${file}: ${reasonOf(cause)}`, {
      hint: 'NIX_SSL_CERT_FILE or SSL_CERT_FILE names it',
      cause,
    });
  }
}
