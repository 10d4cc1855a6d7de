/**
 * An engine that keeps no files: it answers as Docker 20.10 (classic), Docker 28.5 with a containerd store, and podman 4.3 were seen to.
 * What it is given to load is the list of an image's digests and of the blobs that come with it, as JSON.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

export interface FakeImage {
  readonly diffIDs: readonly string[];
  readonly whole: boolean;
}

export interface FakeLoad {
  readonly imageID: string;
  readonly diffIDs: readonly string[];
  /** Digests of the blobs that came. */
  readonly blobs: readonly string[];
}

export interface FakeAnswer {
  readonly status?: number;
  readonly body: string;
  /** What the engine has afterwards. */
  readonly image?: FakeImage;
}

export interface FakeEngineOptions {
  readonly kind: 'classic' | 'containerd' | 'podman';
  readonly apiVersion?: string;
  /** By image ID. */
  readonly images?: Readonly<Record<string, readonly string[]>>;
  readonly load: (load: FakeLoad) => FakeAnswer;
}

export interface FakeEngine {
  readonly socket: string;
  /** What came with each load. */
  readonly loads: readonly FakeLoad[];
  /** Image IDs by name. */
  readonly names: ReadonlyMap<string, string>;
  /** `METHOD path` of each request. */
  readonly requests: readonly string[];
  close(): Promise<void>;
}

export async function startFakeEngine(directory: string, options: FakeEngineOptions): Promise<FakeEngine> {
  const { kind, apiVersion = '1.51', load } = options;
  const images = new Map<string, FakeImage>(
    Object.entries(options.images ?? {}).map(([id, diffIDs]) => [id, { diffIDs, whole: true }]),
  );
  const names = new Map<string, string>();
  const loads: FakeLoad[] = [];
  const requests: string[] = [];
  const describe = (name: string): unknown => {
    const id = names.get(name) ?? name;
    const image = images.get(id);
    if (image === undefined) return undefined;
    const manifests = kind === 'containerd' ? { Manifests: [{ ID: id, Available: image.whole }] } : {};
    return { Id: id, RootFS: { Layers: image.diffIDs }, ...manifests };
  };
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://docker');
    const path = decodeURIComponent(pathname);
    requests.push(`${request.method} ${path}`);
    const json = (document: unknown): void => {
      response.statusCode = document === undefined ? 404 : 200;
      response.end(JSON.stringify(document ?? { message: 'no such image' }));
    };
    const [, name = '', what] = /^\/images\/(.+)\/(json|tag)$/.exec(path) ?? [];
    if (path === '/version')
      json({ ApiVersion: apiVersion, Components: kind === 'podman' ? [{ Name: 'Podman Engine' }] : [] });
    else if (path === '/info')
      json({ DriverStatus: kind === 'containerd' ? [['driver-type', 'io.containerd.snapshotter.v1']] : [] });
    else if (path === '/images/json') json([...images.keys()].map((id) => ({ Id: id })));
    else if (what === 'json') json(describe(name));
    else if (what === 'tag') {
      names.set(`${searchParams.get('repo')}:${searchParams.get('tag')}`, name);
      response.writeHead(201).end();
    } else if (path === '/images/load') {
      const loaded = JSON.parse(await text(request)) as FakeLoad;
      loads.push(loaded);
      const { status = 200, body, image } = load(loaded);
      if (image !== undefined) images.set(loaded.imageID, image);
      response.writeHead(status).end(body);
    } else json(undefined);
  };
  const server = createServer((request, response) => void answer(request, response));
  const socket = join(directory, `engine-${Math.random().toString(36).slice(2)}`);
  server.listen(socket);
  await once(server, 'listening');
  return {
    socket,
    loads,
    names,
    requests,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
