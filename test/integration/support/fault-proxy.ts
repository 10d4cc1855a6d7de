/**
 * A proxy in front of a real registry that asks for tokens and breaks things: answers that are no answers, connections that are cut in
 * the middle, headers that lie. A second origin, at which no proof of who asks may arrive, takes what the proxy sends there.
 */
import { once } from 'node:events';
import {
  createServer,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  request as send,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

export interface FaultProxyOptions {
  /** `127.0.0.1:PORT` of the real registry. */
  readonly registry: string;
}

/** What goes wrong until the next `reset`. */
export interface Weather {
  /** From 0 to 1. */
  readonly random: () => number;
  /** Of all requests, the share that something happens to. */
  readonly share: number;
}

export interface FaultProxy {
  /** `127.0.0.1:PORT`. */
  readonly host: string;
  /** How often each thing happened, since the beginning. */
  readonly happened: ReadonlyMap<string, number>;
  /** Requests at the other origin that had an Authorization header. */
  readonly leaked: readonly string[];
  reset(weather: Weather): void;
  stop(): Promise<void>;
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly random: () => number;
  /** The other origin. */
  readonly elsewhere: string;
  /** Sends the request on, and the answer back. */
  readonly forward: (changes?: ForwardChanges) => Promise<void>;
}

interface ForwardChanges {
  /** After so many bytes of the body both connections are cut. */
  readonly cutAfter?: number;
  readonly headers?: (headers: OutgoingHttpHeaders) => OutgoingHttpHeaders;
  /** The registry does as it is asked, and its answer is lost. */
  readonly loseAnswer?: boolean;
}

const MAX_CUT = 6_000_000;
const STATUSES = [400, 403, 404, 408, 416, 429, 500, 502, 503, 504];
const TOKEN = /^Bearer token-(\d+)$/;
/** Requests after which a token has expired. */
const TOKEN_USES = 25;

export async function startFaultProxy({ registry }: FaultProxyOptions): Promise<FaultProxy> {
  const happened = new Map<string, number>();
  const leaked: string[] = [];
  let weather: Weather = { random: Math.random, share: 0 };
  const tokens = new Map<number, number>();
  const elsewhere = await listen((request, response) => {
    if (request.headers.authorization !== undefined) leaked.push(`${request.method} ${request.url}`);
    void forward(request, { response, registry });
  });
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { random, share } = weather;
    const exchange: Exchange = {
      request,
      response,
      random,
      elsewhere: elsewhere.host,
      forward: async (changes) => await forward(request, { response, registry, ...changes }),
    };
    if (request.url?.startsWith('/token')) return giveToken(exchange, { share, tokens, happened });
    if (request.url === '/v2/') return void response.end();
    if (!isWelcome(request, tokens)) return demandToken(exchange);
    if (random() >= share) return await exchange.forward();
    const fitting = FAULTS.filter(({ fits }) => fits(request));
    const fault = fitting[Math.floor(random() * fitting.length)] as Fault;
    happened.set(fault.name, (happened.get(fault.name) ?? 0) + 1);
    await fault.happen(exchange);
  };
  const proxy = await listen((request, response) => void answer(request, response));
  return {
    host: proxy.host,
    happened,
    leaked,
    reset(next) {
      weather = next;
      tokens.clear();
    },
    async stop() {
      await Promise.all([proxy.stop(), elsewhere.stop()]);
    },
  };
}

interface Fault {
  readonly name: string;
  readonly fits: (request: IncomingMessage) => boolean;
  readonly happen: (exchange: Exchange) => Promise<void> | void;
}

const any = (): boolean => true;
const isUpload = ({ url = '' }: IncomingMessage): boolean => url.includes('/blobs/uploads/');
const hasBody = ({ method = '' }: IncomingMessage): boolean => /^(PUT|PATCH)$/.test(method);
const isBlobHead = ({ method, url = '' }: IncomingMessage): boolean =>
  method === 'HEAD' && url.includes('/blobs/');

const FAULTS: readonly Fault[] = [
  { name: 'status', fits: any, happen: refuse },
  { name: 'cut before the answer', fits: any, happen: ({ request }) => void request.socket.destroy() },
  { name: 'lost answer', fits: any, happen: ({ forward }) => forward({ loseAnswer: true }) },
  { name: 'slow answer', fits: any, happen: beSlow },
  { name: 'cut in the body', fits: hasBody, happen: cutBody },
  { name: 'cut in the body', fits: isUpload, happen: cutBody },
  { name: 'wrong digest', fits: hasBody, happen: lieAboutDigest },
  { name: 'no Location', fits: isUpload, happen: ({ forward }) => forward({ headers: withoutLocation }) },
  { name: 'relative Location', fits: isUpload, happen: ({ forward }) => forward({ headers: makeRelative }) },
  { name: 'Location elsewhere', fits: isUpload, happen: leadElsewhere },
  { name: 'redirect elsewhere', fits: any, happen: redirect },
  {
    name: 'blob that is taken and lost',
    fits: (request) => isUpload(request) && request.method === 'PUT',
    happen: loseBlob,
  },
  { name: 'blob that is not there', fits: isBlobHead, happen: ({ response }) => void response.end() },
];

function refuse({ response, random }: Exchange): void {
  const status = STATUSES[Math.floor(random() * STATUSES.length)] as number;
  const soon = random() < 0.5 ? '0' : new Date(Date.now() - 1000).toUTCString();
  response.writeHead(status, status === 429 || status === 503 ? { 'retry-after': soon } : {});
  response.end(JSON.stringify({ errors: [{ code: 'UNAVAILABLE', message: 'a fault' }] }));
}

async function beSlow({ forward, random }: Exchange): Promise<void> {
  await delay(random() * 50);
  await forward();
}

async function cutBody({ forward, random }: Exchange): Promise<void> {
  // Small blobs are cut, too: half of the cuts are near the beginning.
  await forward({ cutAfter: Math.floor(random() * (random() < 0.5 ? 2000 : MAX_CUT)) });
}

async function lieAboutDigest({ forward }: Exchange): Promise<void> {
  const wrong = `sha256:${'0'.repeat(64)}`;
  await forward({ headers: (headers) => ({ ...headers, 'docker-content-digest': wrong }) });
}

function withoutLocation({ location: _, ...headers }: OutgoingHttpHeaders): OutgoingHttpHeaders {
  return headers;
}

function makeRelative(headers: OutgoingHttpHeaders): OutgoingHttpHeaders {
  const { location } = headers;
  if (typeof location !== 'string') return headers;
  const { pathname, search } = new URL(location);
  return { ...headers, location: `${pathname}${search}` };
}

async function leadElsewhere({ forward, elsewhere }: Exchange): Promise<void> {
  await forward({
    headers: (headers) => {
      const { location } = headers;
      if (typeof location !== 'string') return headers;
      const url = new URL(location);
      url.host = elsewhere;
      return { ...headers, location: url.href };
    },
  });
}

function redirect({ request, response, elsewhere }: Exchange): void {
  response.writeHead(307, { location: `http://${elsewhere}${request.url}` }).end();
  request.resume();
}

/** As a registry with a broken disk: only the manifest's push can find it out. */
async function loseBlob({ request, response }: Exchange): Promise<void> {
  for await (const _ of request);
  response.writeHead(201).end();
}

function isWelcome({ headers }: IncomingMessage, tokens: Map<number, number>): boolean {
  const number = Number(TOKEN.exec(headers.authorization ?? '')?.[1] ?? NaN);
  const left = tokens.get(number) ?? 0;
  tokens.set(number, left - 1);
  return left > 0;
}

function demandToken({ request, response }: Exchange): void {
  const realm = `http://${request.headers.host}/token`;
  response.writeHead(401, { 'www-authenticate': `Bearer realm="${realm}",service="faults"` }).end();
  request.resume();
}

function giveToken(
  { response, random }: Exchange,
  {
    share,
    tokens,
    happened,
  }: {
    readonly share: number;
    readonly tokens: Map<number, number>;
    readonly happened: Map<string, number>;
  },
): void {
  if (random() < share / 2) {
    happened.set('token service fails', (happened.get('token service fails') ?? 0) + 1);
    const kind = random();
    if (kind < 0.3) return void response.writeHead(503, { 'retry-after': '0' }).end();
    if (kind < 0.6) return void response.socket?.destroy();
    if (kind < 0.7) return void response.writeHead(403).end();
    if (kind < 0.8) return void response.end('<html>');
  }
  const number = tokens.size + 1;
  // Some are of no use when they come.
  tokens.set(number, Math.ceil(random() * TOKEN_USES) - (random() < share / 4 ? TOKEN_USES : 0));
  response.end(JSON.stringify({ token: `token-${number}`, expires_in: 300 }));
}

interface ForwardOptions extends ForwardChanges {
  readonly response: ServerResponse;
  readonly registry: string;
}

async function forward(
  request: IncomingMessage,
  { response, registry, cutAfter, headers = (same) => same, loseAnswer = false }: ForwardOptions,
): Promise<void> {
  const { authorization: _, ...kept } = request.headers;
  // The request forgets it when it is destroyed.
  const { socket } = request;
  const [host, port] = registry.split(':');
  const onward = send({ host, port, method: request.method, path: request.url, headers: kept, agent: false });
  const cut = (): void => {
    onward.destroy();
    socket.destroy();
  };
  onward.on('error', cut);
  request.on('error', cut);
  response.on('close', () => {
    if (!response.writableFinished) onward.destroy();
  });
  onward.on('response', (answer) => {
    answer.on('error', cut);
    if (loseAnswer) return cut();
    response.writeHead(answer.statusCode ?? 500, headers(answer.headers));
    answer.pipe(response);
  });
  const closed = once(onward, 'close').catch(() => undefined);
  let passed = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      const isCut = cutAfter !== undefined && passed + chunk.length > cutAfter;
      const part = isCut ? chunk.subarray(0, cutAfter - passed) : chunk;
      passed += part.length;
      if (!onward.write(part)) await Promise.race([once(onward, 'drain'), closed]);
      if (isCut) return cut();
    }
    if (cutAfter !== undefined && passed === 0) return cut();
    onward.end();
  } catch {
    cut();
  }
}

interface Listening {
  readonly host: string;
  stop(): Promise<void>;
}

async function listen(
  handle: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<Listening> {
  const server: Server = createServer(handle).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
