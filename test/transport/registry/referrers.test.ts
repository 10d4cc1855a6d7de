/** Registries that list referrers themselves, which no registry of Debian's does: a small one of the test's own. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, test } from 'node:test';
import { text } from 'node:stream/consumers';
import { blobOf, type Descriptor, descriptorOf, jsonBlob } from '../../../src/image/blob.ts';
import { MEDIA_TYPES } from '../../../src/image/media-types.ts';
import { ANONYMOUS, type Authenticator } from '../../../src/transport/registry/authenticator.ts';
import { pushArtifact } from '../../../src/transport/registry/push-artifact.ts';
import { listReferrers } from '../../../src/transport/registry/referrers.ts';
import { Registries } from '../../../src/transport/registry/registries.ts';

const repository = 'a/b';
const subject = descriptorOf(jsonBlob({ some: 'manifest' }), MEDIA_TYPES.manifest);
const servers: Server[] = [];
after(() => servers.forEach((server) => server.close()));

interface RegistryLike {
  readonly host: string;
  readonly asked: readonly string[];
  readonly authorizations: readonly (string | undefined)[];
  readonly manifests: ReadonlyMap<string, string>;
}

type List = (url: URL, response: ServerResponse) => void;

/** Takes every blob, knows subjects, and answers for referrers as `list` says. */
async function startRegistryLike(list: List): Promise<RegistryLike> {
  const asked: string[] = [];
  const authorizations: (string | undefined)[] = [];
  const manifests = new Map<string, string>();
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? '', 'http://localhost');
    const [kind, name = ''] = url.pathname.split('/').slice(4);
    asked.push(`${request.method} ${url.pathname.replace(/sha256:\w+/, 'DIGEST')}${url.search}`);
    authorizations.push(request.headers.authorization);
    if (kind === 'referrers') return list(url, response);
    if (kind === 'manifests' && request.method === 'PUT') {
      manifests.set(name, await text(request));
      response.setHeader('OCI-Subject', subject.digest);
      response.statusCode = 201;
    } else if (kind === 'manifests') {
      response.statusCode = 404;
    }
    response.end();
  };
  const server = createServer((request, response) => void answer(request, response)).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { host, asked, authorizations, manifests };
}

function entry(letter: string, artifactType = 'text/x'): Descriptor {
  return { ...descriptorOf(blobOf(Buffer.from(letter)), MEDIA_TYPES.manifest), artifactType };
}

function send(response: ServerResponse, manifests: readonly Descriptor[], link?: string): void {
  if (link !== undefined) response.setHeader('Link', link);
  response.end(JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPES.index, manifests }));
}

const network = { backoffMs: 1, retries: 1 };

test('a registry that names the subject keeps the list itself', async () => {
  const registry = await startRegistryLike((_, response) => send(response, []));
  await using registries = new Registries({ network });
  const document = blobOf(Buffer.from('a document'));
  const pushed = await pushArtifact(registries.client(registry.host), {
    repository,
    artifactType: 'text/x',
    blobs: [{ mediaType: 'text/plain', ...document, annotations: { title: 'document' } }],
    subject: { ...subject, annotations: { of: 'the index' } },
    annotations: { why: 'test' },
  });
  assert.deepEqual([...registry.manifests.keys()], [pushed.digest]);
  assert.deepEqual(JSON.parse(registry.manifests.get(pushed.digest) ?? ''), {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.manifest,
    artifactType: 'text/x',
    config: { mediaType: MEDIA_TYPES.empty, digest: jsonBlob({}).digest, size: 2 },
    layers: [{ ...descriptorOf(document, 'text/plain'), annotations: { title: 'document' } }],
    subject,
    annotations: { why: 'test' },
  });
  assert.ok(!registry.asked.some((line) => line.startsWith('GET /v2/a/b/manifests')));
});

test('all pages are read, each entry counts once, and types are told apart here', async () => {
  const pages = [[entry('a'), entry('b', 'text/y')], [entry('a'), entry('c')], []];
  const registry = await startRegistryLike((url, response) => {
    const page = Number(url.searchParams.get('page') ?? 0);
    const next = `</v2/a/b/referrers/${subject.digest}?page=${page + 1}>; rel="next"`;
    send(response, pages[page] ?? [], page + 1 < pages.length ? next : undefined);
  });
  await using registries = new Registries({ network });
  const query = { repository, digest: subject.digest };
  const client = registries.client(registry.host);
  assert.deepEqual(await listReferrers(client, query), [entry('a'), entry('b', 'text/y'), entry('c')]);
  assert.deepEqual(await listReferrers(client, { ...query, artifactType: 'text/y' }), [entry('b', 'text/y')]);
});

test('pages without end are an error', async () => {
  const registry = await startRegistryLike((url, response) =>
    send(response, [], `<${url.pathname}>; rel=next`),
  );
  await using registries = new Registries({ network });
  await assert.rejects(
    listReferrers(registries.client(registry.host), { repository, digest: subject.digest }),
    {
      code: 'ARCHIVE_INVALID',
    },
  );
});

test('a list that is none is an error', async () => {
  const registry = await startRegistryLike((_, response) => void response.end('<html>'));
  await using registries = new Registries({ network });
  await assert.rejects(
    listReferrers(registries.client(registry.host), { repository, digest: subject.digest }),
    {
      code: 'ARCHIVE_INVALID',
    },
  );
});

test('a page at another origin is asked for without proof of who asks', async () => {
  const stranger = await startRegistryLike((_, response) => send(response, [entry('b')]));
  const registry = await startRegistryLike((url, response) =>
    send(response, [entry('a')], `<http://${stranger.host}${url.pathname}>; rel="next"`),
  );
  const known: Authenticator = { ...ANONYMOUS, authorization: () => Promise.resolve('Basic secret') };
  await using registries = new Registries({ network, authenticator: () => known });
  const query = { repository, digest: subject.digest };
  assert.equal((await listReferrers(registries.client(registry.host), query)).length, 2);
  assert.ok(registry.authorizations.includes('Basic secret'));
  assert.deepEqual(new Set(stranger.authorizations), new Set([undefined]));
});
