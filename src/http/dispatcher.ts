/** Connections: how many, through which proxies, and which certificates are trusted. */
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
  /** Where all connections go, whatever the address says, and who is believed there. Proxies are not used then. */
  readonly endpoint?: Endpoint | undefined;
}

export type Endpoint = SocketEndpoint | TlsEndpoint;

export interface SocketEndpoint {
  readonly kind: 'socket';
  /** Of a Unix socket. */
  readonly path: string;
}

/** A server that asks for its clients' certificate. All in PEM. */
export interface TlsEndpoint {
  readonly kind: 'tls';
  /** The only authorities that are trusted; Node's own when absent. */
  readonly authorities?: string | undefined;
  readonly certificate?: string | undefined;
  readonly key?: string | undefined;
  /** Whether to believe any certificate. */
  readonly insecure?: boolean | undefined;
}

/** As the environment's `http_proxy`, `https_proxy` and `no_proxy`. */
export interface Proxies {
  readonly http?: string | undefined;
  readonly https?: string | undefined;
  /** Hosts that are talked to directly: comma or space separated. */
  readonly no?: string | undefined;
}

/** Loads the libraries: what talks to no network need not wait for it. */
export async function createDispatcher({
  proxies,
  certificates = [],
  maxConnections = 8,
  http2 = false,
  connectTimeoutMs = 10_000,
  endpoint,
}: NetworkSettings): Promise<Dispatcher> {
  const { Agent, EnvHttpProxyAgent } = await import('undici');
  const { getCACertificates } = await import('node:tls');
  const trusted = certificates.length === 0 ? {} : { ca: [...getCACertificates('default'), ...certificates] };
  const options = {
    connections: maxConnections,
    allowH2: http2,
    connect: { ...trusted, timeout: connectTimeoutMs },
  };
  if (endpoint !== undefined)
    return new Agent({ ...options, connect: { ...connectTo(endpoint), timeout: connectTimeoutMs } });
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

function connectTo(endpoint: Endpoint): Record<string, string | boolean | undefined> {
  if (endpoint.kind === 'socket') return { socketPath: endpoint.path };
  const { authorities, certificate, key, insecure = false } = endpoint;
  return { ca: authorities, cert: certificate, key, rejectUnauthorized: !insecure };
}
