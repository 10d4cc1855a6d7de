/** How the environment says that networks are to be talked to. */
import { existsSync, readFileSync } from 'node:fs';
import { type HttpSettings, PhylloError, reasonOf } from '../index.ts';
import { version } from './version.ts';

/** @throws PhylloError FILE_UNREADABLE for a file of certificates */
export function networkSettings(): HttpSettings {
  return {
    userAgent: `phyllo/${version()}`,
    proxies: { http: variable('http_proxy'), https: variable('https_proxy'), no: variable('no_proxy') },
    certificates: [process.env['NIX_SSL_CERT_FILE'] || process.env['SSL_CERT_FILE']]
      .filter((file) => file !== undefined && file !== '')
      .map((file) => readCertificates(file as string))
      .filter((certificates) => certificates !== ''),
  };
}

/** Small letters win: what a web server gets from its clients as `Proxy:` is `HTTP_PROXY` to it. */
function variable(name: string): string | undefined {
  const large = name === 'http_proxy' ? undefined : process.env[name.toUpperCase()];
  return process.env[name] || large || undefined;
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
