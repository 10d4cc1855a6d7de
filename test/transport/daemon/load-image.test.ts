import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import type { PhylloError } from '../../../src/errors.ts';
import type { Digest } from '../../../src/digest.ts';
import { jsonBlob } from '../../../src/image/blob.ts';
import { DaemonClient } from '../../../src/transport/daemon/daemon-client.ts';
import { readEngine } from '../../../src/transport/daemon/engine.ts';
import {
  failureIn,
  type ImageToLoad,
  type LoadedImage,
  loadImage,
} from '../../../src/transport/daemon/load-image.ts';
import { failsWith } from '../../store/support/errors.ts';
import { temporaryDirectory } from '../../integration/support/temporary-directory.ts';
import {
  type FakeEngine,
  type FakeEngineOptions,
  type FakeLoad,
  startFakeEngine,
} from '../support/fake-engine.ts';

const directory = temporaryDirectory();
const digest = (name: string): Digest =>
  `sha256:${Buffer.from(name).toString('hex').padEnd(64, '0')}` as Digest;
const LOADED = '{"stream":"Loaded image ID: sha256:…\\n"}\n';

/** An image whose layers have these names; not compressed unless a name ends in `.gz`. */
function imageOf(...names: readonly string[]): ImageToLoad {
  const config = jsonBlob({ names });
  const manifest = jsonBlob({ config: config.digest });
  const layers = names.map((name) => ({ diffID: digest(name.replace('.gz', '')), digest: digest(name) }));
  return {
    config,
    manifest,
    layers,
    async *archive(omitted) {
      await Promise.resolve();
      const blobs = layers.map((layer) => layer.digest).filter((one) => !omitted.has(one));
      const diffIDs = layers.map(({ diffID }) => diffID);
      yield Buffer.from(JSON.stringify({ imageID: idOf.get(config.digest), diffIDs, blobs }));
    },
  };
}

/** What the engine calls the image with this config. */
const idOf = new Map<Digest, Digest>();

interface Delivered {
  readonly engine: FakeEngine;
  readonly loaded: LoadedImage;
  /** Names of the layers that came, of each load. */
  readonly came: readonly (readonly string[])[];
}

async function deliver(image: ImageToLoad, options: FakeEngineOptions): Promise<Delivered> {
  const imageID = options.kind === 'containerd' ? image.manifest.digest : image.config.digest;
  idOf.set(image.config.digest, imageID);
  const engine = await startFakeEngine(directory, options);
  await using client = new DaemonClient({ kind: 'socket', path: engine.socket });
  try {
    const reference = { name: 'team/app', tag: '2' };
    const kind = await readEngine(client);
    const loaded = await loadImage(client, image, { engine: kind, reference, onSent: () => undefined });
    assert.equal(engine.names.get('team/app:2'), imageID);
    const came = engine.loads.map(({ blobs }) => blobs.map(nameOf));
    return { engine, loaded, came };
  } finally {
    await engine.close();
  }
}

function nameOf(blob: string): string {
  return Buffer.from(blob.slice('sha256:'.length).replace(/(00)+$/, ''), 'hex').toString();
}

const takes = ({ diffIDs }: FakeLoad): ReturnType<FakeEngineOptions['load']> => ({
  body: LOADED,
  image: { diffIDs, whole: true },
});
const ids = (...names: readonly string[]): readonly string[] => names.map(digest);

test('a classic store is sent everything above what an image of it has in common', async () => {
  const images = { one: ids('a', 'b', 'c', 'd'), other: ids('a', 'x', 'c', 'e') };
  const { came, loaded } = await deliver(imageOf('a', 'b', 'y', 'd'), {
    kind: 'classic',
    images,
    load: takes,
  });
  assert.deepEqual(came, [['y', 'd']]);
  assert.deepEqual([loaded.present, loaded.sent, loaded.warnings], [2, 2, []]);
});

test('a layer that is there below and wanted once more above is sent', async () => {
  const images = { one: ids('a', 'b') };
  const { came } = await deliver(imageOf('a', 'b', 'a'), { kind: 'classic', images, load: takes });
  assert.deepEqual(came, [['a', 'a']]);
});

for (const kind of ['containerd', 'podman'] as const) {
  test(`${kind}: layers are left out wherever they are`, async () => {
    const images = { one: ids('a', 'c'), other: ids('d') };
    const { came } = await deliver(imageOf('a', 'b', 'c', 'd'), { kind, images, load: takes });
    assert.deepEqual(came, [['b']]);
  });

  test(`${kind}: a compressed layer is another blob`, async () => {
    const images = { one: ids('a', 'b') };
    const { came } = await deliver(imageOf('a', 'b.gz'), { kind, images, load: takes });
    assert.deepEqual(came, [['b.gz']]);
  });
}

test('an image that is there gets its name, and nothing is loaded', async () => {
  const image = imageOf('a', 'b');
  const images = { [image.config.digest]: ids('a', 'b') };
  const { engine, loaded } = await deliver(image, { kind: 'classic', images, load: takes });
  assert.deepEqual(engine.loads, []);
  assert.deepEqual([loaded.present, loaded.sent, loaded.bytesSent], [2, 0, 0]);
  assert.ok(!engine.requests.includes('GET /images/json'));
});

test('an engine that refuses an archive without its layers gets them all, and the user hears why', async () => {
  const refusing = (load: FakeLoad): ReturnType<FakeEngineOptions['load']> =>
    load.blobs.length === 3
      ? takes(load)
      : { body: '{"errorDetail":{"message":"open /x: no such file or directory"},"error":"open /x"}\n' };
  const images = { one: ids('a', 'b') };
  const { came, loaded } = await deliver(imageOf('a', 'b', 'c'), { kind: 'classic', images, load: refusing });
  assert.deepEqual(came, [['c'], ['a', 'b', 'c']]);
  assert.deepEqual([loaded.present, loaded.sent], [0, 3]);
  assert.match(loaded.warnings.join(), /no such file or directory/);
});

test('an engine that answers with an error status gets them all, too', async () => {
  const refusing = (load: FakeLoad): ReturnType<FakeEngineOptions['load']> =>
    load.blobs.length === 3 ? takes(load) : { status: 500, body: '{"message":"payload does not match"}' };
  const images = { one: ids('a') };
  const { came } = await deliver(imageOf('a', 'b', 'c'), { kind: 'podman', images, load: refusing });
  assert.deepEqual(came, [
    ['b', 'c'],
    ['a', 'b', 'c'],
  ]);
});

test('a containerd store that takes an image which is not whole gets the rest', async () => {
  const careless = ({ blobs, diffIDs }: FakeLoad): ReturnType<FakeEngineOptions['load']> => ({
    body: LOADED,
    image: { diffIDs, whole: blobs.length === diffIDs.length },
  });
  const images = { pulled: ids('a') };
  const { came, loaded } = await deliver(imageOf('a', 'b'), { kind: 'containerd', images, load: careless });
  assert.deepEqual(came, [['b'], ['a', 'b']]);
  assert.equal(loaded.warnings.length, 1);
});

test('a containerd store that does not tell what is missing gets all layers', async () => {
  const images = { one: ids('a') };
  const options = { kind: 'containerd', apiVersion: '1.44', images, load: takes } as const;
  const { came, loaded } = await deliver(imageOf('a', 'b'), options);
  assert.deepEqual(came, [['a', 'b']]);
  assert.deepEqual(loaded.warnings, []);
});

test('an image that is not there afterwards is an error, and gets no name', async () => {
  const forgetting = (): ReturnType<FakeEngineOptions['load']> => ({ body: LOADED });
  await assert.rejects(
    deliver(imageOf('a'), { kind: 'classic', load: forgetting }),
    failsWith('DAEMON_FAILED'),
  );
});

test('what the engine says is in the error, with what to do about it', async () => {
  const body = '{"errorDetail":{"message":"max depth exceeded"},"error":"max depth exceeded"}\n';
  await assert.rejects(
    deliver(imageOf('a'), { kind: 'classic', load: () => ({ body }) }),
    (error: unknown) =>
      failsWith('DAEMON_FAILED', 'max depth exceeded')(error) && (error as PhylloError).hint !== undefined,
  );
});

test('a socket that is not there, and a server that is no engine', async () => {
  await using nobody = new DaemonClient({ kind: 'socket', path: join(directory, 'nobody') });
  await assert.rejects(readEngine(nobody), failsWith('DAEMON_UNREACHABLE'));
  const server = createServer((_request, response) => void response.end('<html>')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { readonly port: number };
  await using stranger = new DaemonClient({ kind: 'tcp', host: `127.0.0.1:${port}`, tls: undefined });
  await assert.rejects(readEngine(stranger), failsWith('DAEMON_FAILED'));
  server.closeAllConnections();
  server.close();
});

test('failures are found among the lines of an answer', () => {
  assert.equal(failureIn(`${LOADED}`), undefined);
  assert.equal(failureIn('{"error":"no"}'), 'no');
  assert.equal(failureIn(`{"status":"x"}\r\n{"errorDetail":{"message":"why"},"error":"no"}\r\n`), 'why');
  assert.equal(
    failureIn('{"stream":"Error unpacking image a: not found\\n"}'),
    'Error unpacking image a: not found',
  );
  assert.equal(failureIn('not JSON\n'), undefined);
});
