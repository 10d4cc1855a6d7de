/** Stands between phyllo and a real engine: counts what goes into its socket, and may answer in its place. */
import { once } from 'node:events';
import { createServer as createPlain, request as forward, type RequestListener } from 'node:http';
import { createServer as createSecure } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { TlsOptions } from 'node:tls';

export interface EngineProxy {
  /** `127.0.0.1:PORT` */
  readonly host: string;
  /** Bytes that came from clients since the last call, headers and all. */
  takeBytes(): number;
  /** `METHOD path` of requests since the last call. */
  takeRequests(): readonly string[];
  stop(): Promise<void>;
}

export interface EngineProxyOptions {
  /** Whom to trust, and whether clients must show a certificate. Plain when absent. */
  readonly tls?: TlsOptions;
  /** A document in place of the engine's answer to a GET of this path; undefined: the engine's. */
  readonly answer?: (path: string) => unknown;
}

/** @param socket the engine's */
export async function startEngineProxy(
  socket: string,
  { tls, answer = () => undefined }: EngineProxyOptions = {},
): Promise<EngineProxy> {
  const connections = new Set<Socket>();
  let counted = 0;
  let requests: string[] = [];
  const listener: RequestListener = (request, response) => {
    const { method = 'GET', url: path = '/', headers } = request;
    const decoded = decodeURIComponent(path.split('?')[0] as string);
    requests.push(`${method} ${decoded}`);
    const own = method === 'GET' ? answer(decoded) : undefined;
    if (own !== undefined) return void response.end(JSON.stringify(own));
    const onward = forward({ socketPath: socket, path, method, headers }, (answered) => {
      response.writeHead(answered.statusCode ?? 502, answered.headers);
      answered.pipe(response);
    });
    onward.on('error', () => response.destroy());
    request.pipe(onward);
  };
  const server = tls === undefined ? createPlain(listener) : createSecure(tls, listener);
  server.on('connection', (connection: Socket) => connections.add(connection));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const bytes = (): number => [...connections].reduce((sum, { bytesRead }) => sum + bytesRead, 0);
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    takeBytes: () => {
      const fresh = bytes() - counted;
      counted += fresh;
      return fresh;
    },
    takeRequests: () => {
      const taken = requests;
      requests = [];
      return taken;
    },
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
