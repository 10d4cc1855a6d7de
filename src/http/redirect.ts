/** Where a redirect leads, and what must not go there. @see RFC 9110, section 15.4 */
import { isIP, BlockList } from 'node:net';
import { networkError } from './network-error.ts';
import type { HttpRequest } from './http-client.ts';
import type { HttpResponse } from './http-response.ts';

export type HttpMethod = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
/** What is for one origin alone. */
const SECRETS: ReadonlySet<string> = new Set(['authorization', 'cookie', 'proxy-authorization']);

/**
 * The request that a redirect asks for; undefined when the answer is none.
 * @throws PhylloError NETWORK_FAILED for a place that must not be followed to
 */
export function nextRequest(request: HttpRequest, response: HttpResponse): HttpRequest | undefined {
  const location = response.header('location');
  if (!REDIRECTS.has(response.status) || location === undefined) return undefined;
  const url = resolveLocation(location, request.url);
  const isSame = url.origin === request.url.origin;
  const headers = Object.entries(request.headers ?? {}).filter(
    ([name]) => isSame || !SECRETS.has(name.toLowerCase()),
  );
  const next = { ...request, url, headers: Object.fromEntries(headers) };
  if (response.status !== 303 || request.method === 'HEAD') return next;
  const { body: _, ...rest } = next;
  return { ...rest, method: 'GET' };
}

/**
 * The address that a `Location` means, which may be relative.
 * @throws PhylloError NETWORK_FAILED when it is none, leaves https for http, or leads from a public host into a private network
 */
export function resolveLocation(location: string, base: URL): URL {
  const url = URL.parse(location, base.href);
  if (url === null || !/^https?:$/.test(url.protocol))
    throw networkError(base, new Error('it names a place that is no address'));
  if (base.protocol === 'https:' && url.protocol === 'http:')
    throw networkError(base, new Error(`it leads to ${url.origin}, which is not encrypted`));
  if (isPrivateHost(url.hostname) && !isPrivateHost(base.hostname))
    throw networkError(base, new Error(`it leads to ${url.origin}, which is in a private network`));
  return url;
}

const PRIVATE = privateNetworks();

/** Loopback, link-local and private addresses, and the names that mean loopback. Other names are not looked up. */
export function isPrivateHost(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
  if (isLoopbackName(host)) return true;
  const version = isIP(host);
  return version !== 0 && PRIVATE.check(host, version === 6 ? 'ipv6' : 'ipv4');
}

/** This machine itself, where nobody listens in. */
export function isLoopbackHost(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
  return host === '::1' || isLoopbackName(host) || (isIP(host) === 4 && host.startsWith('127.'));
}

function isLoopbackName(host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost');
}

/** @see RFC 1918, RFC 4193, RFC 6890 */
function privateNetworks(): BlockList {
  const list = new BlockList();
  for (const [address, bits] of [
    ['0.0.0.0', 8],
    ['10.0.0.0', 8],
    ['100.64.0.0', 10],
    ['127.0.0.0', 8],
    ['169.254.0.0', 16],
    ['172.16.0.0', 12],
    ['192.168.0.0', 16],
  ] as const)
    list.addSubnet(address, bits, 'ipv4');
  list.addAddress('::', 'ipv6');
  list.addAddress('::1', 'ipv6');
  list.addSubnet('fc00::', 7, 'ipv6');
  list.addSubnet('fe80::', 10, 'ipv6');
  return list;
}
