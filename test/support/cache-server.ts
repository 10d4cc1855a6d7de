/** A binary cache's directory behind HTTP on loopback: with ranges, latency, a log of requests, and whatever can go wrong. */
import { createReadStream, statSync } from 'node:fs';
import { createSecureServer, type ServerHttp2Session } from 'node:http2';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

export interface LoggedRequest {
  /** `1.1`, `2.0` */
  readonly version: string;
  /** `/nix-cache-info` */
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
}

export interface CacheServerOptions {
  /** Waited for before each answer. */
  readonly latencyMs?: number;
  /** Answers instead of the file where it returns true, perhaps later. */
  readonly answer?: (
    request: LoggedRequest,
    response: ServerResponse,
    file: string,
  ) => boolean | Promise<boolean>;
  readonly ranges?: boolean;
  /** HTTP/2, and HTTP/1.1 for those who do not speak it. */
  readonly tls?: { readonly key: Buffer; readonly cert: Buffer };
}

export interface CacheServer {
  /** Without a slash at its end. */
  readonly url: string;
  readonly requests: readonly LoggedRequest[];
  /** Paths of NARs that were asked for since the last call. */
  takeNars(): readonly string[];
  /** Ends all connections, too. Idempotent. */
  stop(): Promise<void>;
}

/** Stopped after the tests of the file, at the latest. */
export async function serveCache(directory: string, options: CacheServerOptions = {}): Promise<CacheServer> {
  const server = await startCache(directory, options);
  after(() => server.stop());
  return server;
}

/** The caller stops it. */
export async function startCache(directory: string, options: CacheServerOptions = {}): Promise<CacheServer> {
  const requests: LoggedRequest[] = [];
  let taken = 0;
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    const { url = '/', headers, httpVersion } = request;
    const logged = { path: url, headers, version: httpVersion };
    requests.push(logged);
    serve(logged, response, { directory, ...options }).catch(() => response.destroy());
  };
  const { tls } = options;
  const server = tls === undefined ? createServer(listener) : createSecure(tls, listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const stop = once(() => close(server));
  return {
    url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    takeNars: () => {
      const fresh = requests.slice(taken).filter(({ path }) => path.startsWith('/nar/'));
      taken = requests.length;
      return fresh.map(({ path }) => path);
    },
    stop,
  };
}

type Listener = (request: IncomingMessage, response: ServerResponse) => void;

/** Its requests and responses have what those of HTTP/1.1 have. */
function createSecure(tls: NonNullable<CacheServerOptions['tls']>, listener: Listener): Server {
  const sessions = new Set<ServerHttp2Session>();
  const server = createSecureServer({ ...tls, allowHTTP1: true }, listener as never);
  server.on('session', (session) => {
    sessions.add(session);
    session.on('close', () => sessions.delete(session));
  });
  return Object.assign(server as unknown as Server, {
    closeAllConnections: () => {
      for (const session of sessions) session.destroy();
    },
  });
}

async function serve(
  request: LoggedRequest,
  response: ServerResponse,
  { directory, latencyMs = 0, answer, ranges = true }: CacheServerOptions & { readonly directory: string },
): Promise<void> {
  const file = join(directory, decodeURIComponent(new URL(request.path, 'http://host').pathname));
  if (latencyMs > 0) await delay(latencyMs);
  if ((await answer?.(request, response, file)) === true) return;
  sendFile(response, { file, range: ranges ? request.headers.range : undefined });
}

/** @param options `range`: as in the request's header */
export function sendFile(
  response: ServerResponse,
  { file, range }: { readonly file: string; readonly range: string | undefined },
): void {
  const stats = statSync(file, { throwIfNoEntry: false });
  if (stats?.isFile() !== true) return void response.writeHead(404).end();
  const start = Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0);
  const etag = `"${stats.size}-${stats.mtimeMs}"`;
  const headers = { 'content-length': stats.size - start, etag, 'accept-ranges': 'bytes' };
  if (start === 0) response.writeHead(200, headers);
  else
    response.writeHead(206, {
      ...headers,
      'content-range': `bytes ${start}-${stats.size - 1}/${stats.size}`,
    });
  createReadStream(file, { start }).pipe(response);
}

async function close(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeAllConnections();
  await closed;
}

function once<T>(act: () => Promise<T>): () => Promise<T> {
  let acted: Promise<T> | undefined;
  return () => (acted ??= act());
}
