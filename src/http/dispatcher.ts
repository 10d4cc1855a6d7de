/** Connections: how many, through which proxies, and which certificates are trusted. */
import { getCACertificates } from 'node:tls';
import type { Dispatcher } from 'undici';

export interface NetworkSettings {
  readonly proxies?: Proxies | undefined;
  /** Certificates of authorities that are trusted besides Node's own, in PEM. */
  readonly certificates?: readonly string[] | undefined;
  /** To each origin at the same time; 8 when absent. */
  readonly maxConnections?: number | undefined;
  /** Whether a server that offers HTTP/2 gets it. */
  readonly http2?: boolean | undefined;
  /** Milliseconds until a connection stands; 10 seconds when absent. */
  readonly connectTimeoutMs?: number | undefined;
}

/** As the environment's `http_proxy`, `https_proxy` and `no_proxy`. */
export interface Proxies {
  readonly http?: string | undefined;
  readonly https?: string | undefined;
  /** Hosts that are talked to directly: comma or space separated. */
  readonly no?: string | undefined;
}

/** Loads the library: what talks to no network need not wait for it. */
export async function createDispatcher({
  proxies,
  certificates = [],
  maxConnections = 8,
  http2 = false,
  connectTimeoutMs = 10_000,
}: NetworkSettings): Promise<Dispatcher> {
  const { Agent, EnvHttpProxyAgent } = await import('undici');
  const trusted = certificates.length === 0 ? {} : { ca: [...getCACertificates('default'), ...certificates] };
  const options = {
    connections: maxConnections,
    allowH2: http2,
    connect: { ...trusted, timeout: connectTimeoutMs },
  };
  if (proxies?.http === undefined && proxies?.https === undefined) return new Agent(options);
  return new EnvHttpProxyAgent({
    ...options,
    requestTls: trusted,
    // Empty strings keep it from looking at the environment, which is the command line's to read.
    httpProxy: proxies.http ?? '',
    httpsProxy: proxies.https ?? '',
    noProxy: proxies.no ?? '',
  });
}
