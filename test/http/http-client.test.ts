/** The client against servers that misbehave in ways which no real one can be made to. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, test } from 'node:test';
import { HttpClient } from '../../src/http/http-client.ts';

type Handler = (request: IncomingMessage, response: ServerResponse, count: number) => void;

const servers: Server[] = [];
after(() => servers.forEach((server) => server.close()));

async function serve(handle: Handler): Promise<URL> {
  let count = 0;
  const server = createServer((request, response) => {
    count += 1;
    handle(request, response, count);
  });
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
}

const QUICK = { backoffMs: 1, maxWaitMs: 2000, connectTimeoutMs: 1000 };

test('an answer is given as it is', async () => {
  const url = await serve((request, response) => {
    response.setHeader('X-Seen', `${request.method} ${request.headers['user-agent'] ?? ''}`);
    response.statusCode = 404;
    response.end('nothing here');
  });
  await using client = new HttpClient(QUICK);
  const response = await client.send({ url });
  assert.equal(response.status, 404);
  assert.equal(response.header('x-seen'), 'GET phyllo');
  assert.equal(await response.text(100), 'nothing here');
});

for (const status of [408, 429, 500, 502, 503, 504]) {
  test(`${status} is tried again`, async () => {
    const url = await serve((_, response, count) => {
      response.statusCode = count < 3 ? status : 200;
      response.end(String(count));
    });
    await using client = new HttpClient(QUICK);
    assert.equal(await (await client.send({ url })).text(10), '3');
  });
}

for (const status of [400, 401, 403, 404, 501]) {
  test(`${status} is final`, async () => {
    const url = await serve((_, response, count) => {
      response.statusCode = status;
      response.end(String(count));
    });
    await using client = new HttpClient(QUICK);
    assert.equal(await (await client.send({ url })).text(10), '1');
  });
}

test('the last failing answer is given back', async () => {
  const url = await serve((_, response, count) => {
    response.statusCode = 503;
    response.end(String(count));
  });
  await using client = new HttpClient({ ...QUICK, retries: 2 });
  const response = await client.send({ url });
  assert.equal(response.status, 503);
  assert.equal(await response.text(10), '3');
});

test('Retry-After is obeyed in seconds, and not when it is too long', async () => {
  const waits: number[] = [];
  const url = await serve((_, response, count) => {
    response.statusCode = 429;
    response.setHeader('Retry-After', count === 1 ? '1' : '3000');
    response.end();
  });
  await using client = new HttpClient({ ...QUICK, onRetry: (ms) => waits.push(ms) });
  assert.equal((await client.send({ url })).status, 429);
  assert.deepEqual(waits, [1000]);
});

test('a connection that is cut is tried again, with the body from its start', async () => {
  const url = await serve((request, response, count) => {
    if (count < 3) request.socket.destroy();
    else request.pipe(response);
  });
  await using client = new HttpClient(QUICK);
  const body = async function* (): AsyncGenerator<Uint8Array> {
    yield Buffer.from('one ');
    yield Buffer.from('two');
  };
  const response = await client.send({ url, method: 'PUT', body });
  assert.equal(await response.text(100), 'one two');
});

test('nobody answers', async () => {
  const url = await serve(() => undefined);
  const port = servers.pop();
  port?.close();
  await once(port as Server, 'close');
  await using client = new HttpClient({ ...QUICK, retries: 1 });
  await assert.rejects(client.send({ url }), { code: 'NETWORK_FAILED' });
});

test('an answer that does not come, or stops in the middle', async () => {
  const url = await serve((request, response) => {
    if (request.url === '/part') response.write('begin');
  });
  await using client = new HttpClient({ ...QUICK, retries: 0, answerTimeoutMs: 200, bodyTimeoutMs: 200 });
  await assert.rejects(client.send({ url }), { code: 'NETWORK_FAILED' });
  const part = await client.send({ url: new URL('/part', url) });
  await assert.rejects(part.bytes(100), { code: 'NETWORK_FAILED' });
});

test('an answer larger than expected is not read', async () => {
  const url = await serve((_, response) => response.end(Buffer.alloc(1000)));
  await using client = new HttpClient(QUICK);
  await assert.rejects((await client.send({ url })).bytes(999), { code: 'NETWORK_FAILED' });
});

test('a redirect is followed; another origin gets no Authorization', async () => {
  const other = await serve((request, response) => response.end(String(request.headers.authorization)));
  const url = await serve((request, response) => {
    response.statusCode = 307;
    response.setHeader('Location', request.url === '/' ? '/again' : other.href);
    if (request.url === '/end') response.writeHead(200).end(String(request.headers.authorization));
    else response.end();
  });
  const own = await serve((request, response) => {
    if (request.url === '/') response.writeHead(302, { location: '/end' }).end();
    else response.end(String(request.headers.authorization));
  });
  await using client = new HttpClient(QUICK);
  const headers = { authorization: 'Bearer secret' };
  assert.equal(await (await client.send({ url, headers })).text(100), 'undefined');
  assert.equal(await (await client.send({ url: own, headers })).text(100), 'Bearer secret');
});

test('redirects without end, and to what is no address', async () => {
  const url = await serve((request, response) => {
    response.writeHead(302, { location: request.url === '/file' ? 'file:///etc/passwd' : '/x' }).end();
  });
  await using client = new HttpClient(QUICK);
  await assert.rejects(client.send({ url }), { code: 'NETWORK_FAILED' });
  await assert.rejects(client.send({ url: new URL('/file', url) }), { code: 'NETWORK_FAILED' });
});

test('an address keeps its secrets in errors', async () => {
  const url = await serve((request) => request.socket.destroy());
  url.username = 'me';
  url.password = 'hidden';
  url.search = '?token=hidden';
  await using client = new HttpClient({ ...QUICK, retries: 0 });
  const error: unknown = await client.send({ url }).catch((caught: unknown) => caught);
  assert.doesNotMatch(String((error as Error).message), /hidden/);
});

test('a signal ends the waiting', async () => {
  const url = await serve((_, response) => response.writeHead(503, { 'retry-after': '1' }).end());
  await using client = new HttpClient({ ...QUICK });
  const reason = new Error('enough');
  const aborter = new AbortController();
  setTimeout(() => aborter.abort(reason), 50);
  await assert.rejects(client.send({ url, signal: aborter.signal }), reason);
});

test('a proxy is asked, except for hosts without one', async () => {
  const proxy = await serve((request, response) => response.end(`proxied ${request.url ?? ''}`));
  const url = await serve((_, response) => response.end('direct'));
  await using through = new HttpClient({ ...QUICK, proxies: { http: proxy.href } });
  assert.match(await (await through.send({ url: new URL('http://cache.example/x') })).text(100), /^proxied/);
  await using direct = new HttpClient({ ...QUICK, proxies: { http: proxy.href, no: '127.0.0.1' } });
  assert.equal(await (await direct.send({ url })).text(100), 'direct');
});
