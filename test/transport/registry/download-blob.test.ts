/** Downloads from servers that cut connections in ways which no real registry can be made to. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { finishDigest } from '../../../src/digest.ts';
import { downloadBlob } from '../../../src/transport/registry/download-blob.ts';
import { Registries } from '../../../src/transport/registry/registries.ts';
import { patterned } from '../../support/patterned.ts';

const BLOB = patterned(300_000);
const digest = finishDigest(createHash('sha256').update(BLOB));
const servers: Server[] = [];
after(() => servers.forEach((server) => server.close()));

type Handler = (request: IncomingMessage, response: ServerResponse, count: number) => void;

/** What a client gets from a server that `handle`s requests for the blob; how often it asked. */
async function download(handle: Handler): Promise<{ readonly bytes: Buffer; readonly requests: number }> {
  let requests = 0;
  const server = createServer((request, response) => {
    if (request.url === '/v2/') return void response.end();
    requests += 1;
    handle(request, response, requests);
  });
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  await using registries = new Registries({ network: { backoffMs: 1, retries: 1, connectTimeoutMs: 1000 } });
  const blob = { repository: 'a/b', digest, size: BLOB.length };
  const chunks: Uint8Array[] = [];
  for await (const chunk of downloadBlob(registries.client(host), blob)) chunks.push(chunk);
  return { bytes: Buffer.concat(chunks), requests };
}

function startOf({ headers }: IncomingMessage): number {
  return Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1] ?? 0);
}

/** Answers with the part that is asked for, and cuts the connection after `length` bytes of it. */
function sendPart(request: IncomingMessage, response: ServerResponse, length = BLOB.length): void {
  const start = startOf(request);
  const part = BLOB.subarray(start);
  const isPart = request.headers.range !== undefined;
  response.writeHead(isPart ? 206 : 200, {
    'content-length': part.length,
    ...(isPart ? { 'content-range': `bytes ${start}-${BLOB.length - 1}/${BLOB.length}` } : {}),
  });
  if (length >= part.length) response.end(part);
  else response.write(part.subarray(0, length), () => response.destroy());
}

test('a download goes on where it was cut, wherever that is', async () => {
  const cuts = fc.array(fc.integer({ min: 1, max: 100_000 }), { minLength: 1, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(cuts, async (lengths) => {
      const { bytes, requests } = await download((request, response, count) =>
        sendPart(request, response, lengths[count - 1]),
      );
      assert.ok(bytes.equals(BLOB));
      assert.ok(requests > 1);
    }),
    { numRuns: 5 },
  );
});

test('a server that knows nothing of parts sends everything again', async () => {
  const { bytes } = await download((request, response, count) => {
    delete request.headers.range;
    sendPart(request, response, count === 1 ? 100_000 : BLOB.length);
  });
  assert.ok(bytes.equals(BLOB));
});

test('another part than the one that was asked for is refused', async () => {
  await assert.rejects(
    download((request, response, count) => {
      if (count === 1) return sendPart(request, response, 100_000);
      response.writeHead(206, { 'content-range': `bytes 5-${BLOB.length - 1}/${BLOB.length}` });
      response.end(BLOB.subarray(5));
    }),
    { code: 'REGISTRY_FAILED' },
  );
});

test('a download that never gets anywhere ends', async () => {
  await assert.rejects(
    download((request, response, count) => {
      if (count === 1) sendPart(request, response, 100_000);
      else response.destroy();
    }),
    { code: 'NETWORK_FAILED' },
  );
});
