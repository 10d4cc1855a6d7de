/** Where a Docker engine listens, in the words of docker's `DOCKER_HOST` and contexts. */
import { PhylloError } from '../../errors.ts';

export type DaemonAddress = SocketAddress | TcpAddress;

export interface SocketAddress {
  readonly kind: 'socket';
  readonly path: string;
}

export interface TcpAddress {
  readonly kind: 'tcp';
  /** With the port, an IPv6 address in brackets. */
  readonly host: string;
  /** Undefined: nothing is encrypted. */
  readonly tls: DaemonTls | undefined;
}

/** All in PEM. */
export interface DaemonTls {
  /** The only authorities that are trusted; the system's when absent. */
  readonly authorities: string | undefined;
  readonly certificate: string | undefined;
  readonly key: string | undefined;
  /** Whether any certificate is believed. */
  readonly insecure: boolean;
}

/** Finds the engine when somebody wants to talk to it. @throws PhylloError DAEMON_ADDRESS_INVALID, FILE_UNREADABLE */
export type LocateDaemon = () => DaemonAddress;

export const DEFAULT_HOST = 'unix:///var/run/docker.sock';

/** Docker's ports without and with TLS. */
const PORTS = { plain: 2375, tls: 2376 } as const;

/**
 * @param text `unix://PATH`, `tcp://HOST[:PORT]`
 * @param options.tls of an engine over TCP; a function, since its files matter to nobody else
 * @throws PhylloError DAEMON_ADDRESS_INVALID
 */
export function parseDaemonHost(
  text: string,
  { origin, tls = () => undefined }: { readonly origin: string; readonly tls?: () => DaemonTls | undefined },
): DaemonAddress {
  const [, scheme, rest = ''] = /^([a-z]+):\/\/(.*)$/s.exec(text) ?? [];
  if (scheme === 'unix' && rest.startsWith('/')) return { kind: 'socket', path: rest };
  if (scheme !== 'tcp' && scheme !== 'http' && scheme !== 'https') throw unsupported(text, origin);
  const url = URL.parse(`tcp://${rest}`);
  if (url === null || url.hostname === '' || url.username !== '' || !/^\/?$/.test(url.pathname))
    throw invalid(text, origin, 'wanted tcp://HOST:PORT');
  const secured = tls() ?? (scheme === 'https' ? TRUST_SYSTEM : undefined);
  const port = url.port || String(secured === undefined ? PORTS.plain : PORTS.tls);
  return { kind: 'tcp', host: `${url.hostname}:${port}`, tls: secured };
}

const TRUST_SYSTEM: DaemonTls = {
  authorities: undefined,
  certificate: undefined,
  key: undefined,
  insecure: false,
};

/** For messages. */
export function describeAddress(address: DaemonAddress): string {
  return address.kind === 'socket' ? `unix://${address.path}` : `tcp://${address.host}`;
}

function unsupported(text: string, origin: string): PhylloError {
  const isRemote = text.startsWith('ssh://');
  return invalid(
    text,
    origin,
    isRemote
      ? 'engines behind ssh are not talked to directly'
      : 'wanted unix:///PATH/TO/SOCKET or tcp://HOST:PORT',
    isRemote
      ? 'pipe the archive through: phyllo build … --to - | ssh HOST docker load'
      : 'correct it, or unset it',
  );
}

function invalid(
  text: string,
  origin: string,
  reason: string,
  hint = 'correct it, or unset it',
): PhylloError {
  return new PhylloError(
    'DAEMON_ADDRESS_INVALID',
    `${origin} is not where a Docker engine can be talked to: ${JSON.stringify(text)}: ${reason}`,
    { hint },
  );
}
