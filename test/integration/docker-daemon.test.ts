/** Images straight into real engines, and out of them: what travels, what runs, what happens when an engine refuses. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { openImage } from '../../src/transport/image-source.ts';
import { encodeImagesArchive } from '../../src/transport/images-archive.ts';
import { referenceOf } from '../../src/transport/image-names.ts';
import { writeToFile } from '../../src/transport/write-bytes.ts';
import { patterned } from '../support/patterned.ts';
import { buildTestClosure, type TestClosure } from './support/closure.ts';
import { type Containerd, startContainerd } from './support/containerd.ts';
import { type Docker, startDocker } from './support/docker.ts';
import { type EngineProxy, startEngineProxy } from './support/engine-proxy.ts';
import { addToStore } from './support/nix.ts';
import { once } from './support/once.ts';
import { phyllo, phylloChecked, phylloCommand } from './support/phyllo.ts';
import { podmanIn } from './support/podman.ts';
import { run, runChecked, type Server } from './support/process.ts';
import { describeWith } from './support/requirements.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';

const GREETING = 'Hello from a stack of store paths!\n';
const LAYERS = 100;
const LAYERING = { maxLayers: LAYERS, layering: 'popularity' };
const PATH_BYTES = 150_000;
/** What documents, headers and requests are at most. */
const OVERHEAD_BYTES = 200_000;

const directory = temporaryDirectory();
const sharedClosure = once(() => buildTestClosure(directory));

interface Built {
  readonly imageID: string;
  readonly made: number;
  readonly layers: readonly {
    readonly diffID: string;
    readonly size: number;
    readonly paths: readonly string[];
  }[];
  readonly loaded: readonly {
    readonly name: string;
    readonly imageID: string;
    readonly present: number;
    readonly sent: number;
    readonly bytesSent: number;
  }[];
  readonly warnings: readonly string[];
}

/** Adds store paths named `part-NUMBER` whose contents depend on `generation`. */
async function addParts(
  { store }: TestClosure,
  numbers: readonly number[],
  generation: number,
): Promise<readonly string[]> {
  const place = join(directory, `generation-${generation}`);
  mkdirSync(place);
  const files = numbers.map((number) => {
    const part = join(place, `part-${String(number).padStart(3, '0')}`);
    mkdirSync(part);
    writeFileSync(join(part, 'data'), patterned(PATH_BYTES + number + generation * 1000));
    return part;
  });
  return await addToStore(store, files);
}

/** An image of many layers that runs; its description's file. */
function describeMany({ top }: TestClosure, parts: readonly string[], name = 'many'): string {
  const file = join(directory, `${name}.json`);
  const config = { Cmd: ['/bin/hello'], Env: [`PARTS=${parts.join(':')}`] };
  writeFileSync(file, JSON.stringify({ name: 'many', tag: '1', contents: [top], config, ...LAYERING }));
  return file;
}

const manyParts = once(
  async () =>
    await addParts(
      await sharedClosure(),
      Array.from({ length: LAYERS }, (_, i) => i),
      0,
    ),
);

describeWith(['nix', 'docker'], 'docker-daemon:', () => {
  let docker: Docker;
  let proxy: EngineProxy;
  let closure: TestClosure;
  let first: Built;

  before(async () => {
    docker = await startDocker(directory);
    closure = await sharedClosure();
    proxy = await startEngineProxy(docker.socket);
  });
  after(async () => {
    await proxy.stop();
    await docker.stop();
  });

  const through = (host: string): { readonly env: Readonly<Record<string, string>> } => ({
    env: { DOCKER_HOST: host },
  });
  const build = async (image: string, ...args: readonly string[]): Promise<Built> => {
    const all = ['build', image, '--store', closure.store.root, '--json', ...args];
    return JSON.parse(await phylloChecked(all, through(`tcp://${proxy.host}`))) as Built;
  };
  const idOf = async (name: string): Promise<string> =>
    (await docker.command(['image', 'inspect', '--format', '{{.Id}}', name])).trim();

  it('loads an image of 100 layers, which runs', async () => {
    const image = describeMany(closure, await manyParts());
    first = await build(image, '--to', 'docker-daemon:many:1');
    assert.equal(first.layers.length, LAYERS);
    const [loaded] = first.loaded;
    assert.deepEqual([loaded?.name, loaded?.present, loaded?.sent], ['many:1', 0, LAYERS]);
    assert.equal(await idOf('many:1'), loaded?.imageID);
    assert.equal((await docker.runContainer('many:1')).stdout, GREETING);
    proxy.takeBytes();
  });

  it('gives one in which a path changed the layers from there on, and nothing below is made', async () => {
    const parts = await manyParts();
    const changed = first.layers.findLast(({ paths }) => paths.some((path) => parts.includes(path)));
    const at = parts.indexOf(changed?.paths.find((path) => parts.includes(path)) as string);
    const [fresh = ''] = await addParts(closure, [at], 1);
    const image = describeMany(closure, parts.with(at, fresh), 'changed');
    const second = await build(image, '--to', 'docker-daemon:many:2');
    const bytes = proxy.takeBytes();

    const height = second.layers.findIndex(({ diffID }, i) => diffID !== first.layers[i]?.diffID);
    const wanted = second.layers.slice(height).reduce((sum, { size }) => sum + size, 0);
    const [loaded] = second.loaded;
    assert.deepEqual([loaded?.present, loaded?.sent], [height, LAYERS - height]);
    assert.ok(LAYERS - height <= 3, `${LAYERS - height} layers are above the changed one`);
    assert.ok(bytes > wanted && bytes < wanted + OVERHEAD_BYTES, `${bytes} bytes for ${wanted}`);
    assert.ok(Math.abs(bytes - (loaded?.bytesSent ?? 0)) < 20_000, 'the count is that of the socket');
    assert.ok(second.made <= LAYERS - height + 1, `${second.made} layers were made`);
    for (const name of ['many:1', 'many:2']) assert.equal((await docker.runContainer(name)).stdout, GREETING);
  });

  it('sends no archive of an image that is there, and prints its ID', async () => {
    proxy.takeRequests();
    const image = join(directory, 'many.json');
    const args = ['build', image, '--store', closure.store.root, '--to', 'docker-daemon:again/many:3'];
    const { exitCode, stdout, stderr } = await phyllo(args, through(`tcp://${proxy.host}`));
    assert.equal(exitCode, 0, stderr);
    assert.equal(stdout.trim(), await idOf('again/many:3'));
    assert.equal(stdout.trim(), first.imageID);
    assert.ok(proxy.takeBytes() < 5_000);
    assert.ok(!proxy.takeRequests().includes('POST /images/load'));
  });

  it('sends the whole image when the engine lacks what it seemed to have', async () => {
    const image = describeMany(closure, (await manyParts()).slice(0, 5), 'few');
    const { layers } = await build(image, '--to', `docker-archive:${join(directory, 'few.tar')}`);
    const lie = { Id: 'sha256:lie', RootFS: { Layers: layers.map(({ diffID }) => diffID) } };
    const liar = await startEngineProxy(docker.socket, {
      answer: (path) => ({ '/images/json': [lie], '/images/sha256:lie/json': lie })[path],
    });
    try {
      const args = ['build', image, '--store', closure.store.root, '--json', '--to', 'docker-daemon:few'];
      const built = JSON.parse(await phylloChecked(args, through(`tcp://${liar.host}`))) as Built;
      assert.deepEqual(
        liar.takeRequests().filter((line) => line.startsWith('POST')),
        ['POST /images/load', 'POST /images/load', `POST /images/${built.imageID}/tag`],
      );
      assert.match(built.warnings.join(), /no such file/);
      assert.deepEqual([built.loaded[0]?.present, built.loaded[0]?.sent], [0, layers.length]);
      assert.equal((await docker.runContainer('few:1')).stdout, GREETING);
    } finally {
      await liar.stop();
    }
  });

  it('copies archives into it and images out of it, and builds on those', async () => {
    const environment = through(`unix://${docker.socket}`);
    const archive = join(directory, 'few.tar');
    const id = (await phylloChecked(['copy', archive, 'docker-daemon:copied:1'], environment)).trim();
    assert.equal(id, await idOf('copied:1'));
    const back = join(directory, 'back.tar');
    await phylloChecked(['copy', `docker-daemon:${id}`, `docker-archive:${back}:back:1`], environment);
    assert.ok(readFileSync(back).length > 20_000_000);
    const inspected = await phylloChecked(['inspect', '--json', 'docker-daemon:copied:1'], environment);
    assert.equal((JSON.parse(inspected) as { readonly imageID: string }).imageID, id);
    const store = ['--store', closure.store.root];
    const above = ['--name', 'above', '--config', '{"Cmd":["/bin/hello"]}', '--to', 'docker-daemon:above:1'];
    await phylloChecked(['build', ...store, '--from-image', 'docker-daemon:copied:1', ...above], environment);
    assert.equal((await docker.runContainer('above:1')).stdout, GREETING);
    const steady = ['--layering', 'steady', '--previous', 'docker-daemon:copied:1'];
    await phylloChecked(['plan', join(directory, 'few.json'), ...store, ...steady], environment);
  });

  it('says what is wrong where there is no engine, no image, and no context', async () => {
    const cases = [
      [
        ['inspect', 'docker-daemon:many:1'],
        { DOCKER_HOST: `unix://${join(directory, 'nobody')}` },
        'DAEMON_UNREACHABLE',
      ],
      [['inspect', 'docker-daemon:nobody:1'], { DOCKER_HOST: `unix://${docker.socket}` }, 'IMAGE_NOT_FOUND'],
      [
        ['inspect', 'docker-daemon:many:1'],
        { DOCKER_CONTEXT: 'nowhere', DOCKER_HOST: '' },
        'DAEMON_ADDRESS_INVALID',
      ],
    ] as const;
    for (const [args, env, code] of cases) {
      const { exitCode, stderr } = await phyllo(args, { env });
      assert.equal(exitCode, 1);
      assert.match(stderr, new RegExp(`\\[${code}\\]\nhint: `));
    }
  });
});

describeWith(['nix', 'docker', 'openssl'], 'docker-daemon: of a context behind TLS', () => {
  let docker: Docker;
  before(async () => {
    mkdirSync(join(directory, 'tls'));
    docker = await startDocker(join(directory, 'tls'));
  });
  after(() => docker.stop());

  it('is trusted by its own authority alone, and shown our certificate', async () => {
    const closure = await sharedClosure();
    const place = join(directory, 'tls');
    const { ca, server } = await makeCertificates(place);
    const proxy = await startEngineProxy(docker.socket, {
      tls: { ...server, ca, requestCert: true, rejectUnauthorized: true },
    });
    try {
      const config = writeContext(place, `tcp://${proxy.host}`);
      const image = describeMany(closure, []);
      const args = ['build', image, '--store', closure.store.root, '--to', 'docker-daemon:tls:1'];
      const env = { DOCKER_CONFIG: config, DOCKER_CONTEXT: 'secured', DOCKER_HOST: '' };
      await phylloChecked(args, { env });
      assert.equal((await docker.runContainer('tls:1')).stdout, GREETING);
      const plain = await phyllo(args, { env: { DOCKER_HOST: `tcp://${proxy.host}` } });
      assert.equal(plain.exitCode, 1);
      assert.match(plain.stderr, /\[DAEMON_(UNREACHABLE|FAILED)\]/);
    } finally {
      await proxy.stop();
    }
  });
});

interface Certificates {
  readonly ca: Buffer;
  readonly server: { readonly cert: Buffer; readonly key: Buffer };
}

/** An authority, and a certificate for 127.0.0.1 that serves both sides. */
async function makeCertificates(place: string): Promise<Certificates> {
  const file = (name: string): string => join(place, name);
  const openssl = async (...args: readonly string[]): Promise<unknown> => await runChecked('openssl', args);
  const key = ['-newkey', 'rsa:2048', '-nodes', '-keyout'];
  await openssl(
    'req',
    '-x509',
    ...key,
    file('ca-key.pem'),
    '-out',
    file('ca.pem'),
    '-subj',
    '/CN=test authority',
    '-days',
    '2',
  );
  await openssl('req', ...key, file('key.pem'), '-out', file('request.pem'), '-subj', '/CN=engine');
  writeFileSync(file('extensions'), 'subjectAltName=IP:127.0.0.1\n');
  const authority = ['-CA', file('ca.pem'), '-CAkey', file('ca-key.pem'), '-CAcreateserial'];
  await openssl(
    'x509',
    '-req',
    '-in',
    file('request.pem'),
    ...authority,
    '-days',
    '2',
    '-extfile',
    file('extensions'),
    '-out',
    file('cert.pem'),
  );
  return {
    ca: readFileSync(file('ca.pem')),
    server: { cert: readFileSync(file('cert.pem')), key: readFileSync(file('key.pem')) },
  };
}

/** Docker's configuration with a context `secured` that has these certificates. */
function writeContext(place: string, host: string): string {
  const config = join(place, 'config');
  const name = createHash('sha256').update('secured').digest('hex');
  const [meta, tls] = [join(config, 'contexts/meta', name), join(config, 'contexts/tls', name, 'docker')];
  for (const part of [meta, tls]) mkdirSync(part, { recursive: true });
  writeFileSync(
    join(meta, 'meta.json'),
    JSON.stringify({ Name: 'secured', Endpoints: { docker: { Host: host } } }),
  );
  for (const file of ['ca.pem', 'cert.pem', 'key.pem'])
    writeFileSync(join(tls, file), readFileSync(join(place, file)));
  return config;
}

describeWith(['nix', 'podman'], 'docker-daemon: of podman', () => {
  const podman = podmanIn(directory);
  const socket = join(directory, 'podman-socket');
  let service: Server;
  before(async () => {
    service = await podman.serve(socket);
  });
  after(() => service.stop());

  it('is sent the layer that it lacks, wherever that is', async () => {
    const closure = await sharedClosure();
    const env = { DOCKER_HOST: `unix://${socket}` };
    const build = async (parts: readonly string[], to: string): Promise<Built> => {
      const args = ['build', describeMany(closure, parts, 'podman'), '--store', closure.store.root];
      return JSON.parse(await phylloChecked([...args, '--json', '--to', to], { env })) as Built;
    };
    const [one = '', two = '', three = ''] = await manyParts();
    const before = await build([one, two], 'docker-daemon:pod:1');
    const { loaded, layers, warnings } = await build([one, three], 'docker-daemon:pod:2');
    assert.deepEqual(warnings, []);
    const known = new Set(before.layers.map(({ diffID }) => diffID));
    const fresh = layers.filter(({ diffID }) => !known.has(diffID));
    assert.equal(fresh.length, 1);
    assert.equal(loaded[0]?.sent, 1);
    assert.ok(loaded[0].bytesSent < (fresh[0]?.size ?? 0) + OVERHEAD_BYTES);
    const id = (
      await podman.command(['image', 'inspect', '--format', '{{.Id}}', 'docker.io/library/pod:2'])
    ).trim();
    assert.equal(`sha256:${id}`, loaded[0].imageID);
    const summary = await phylloChecked(['inspect', '--json', 'docker-daemon:pod:2'], { env });
    assert.equal((JSON.parse(summary) as { readonly imageID: string }).imageID, `sha256:${id}`);
  });

  it('takes the archive through a pipe, too', async () => {
    const closure = await sharedClosure();
    const args = [
      'build',
      describeMany(closure, [], 'piped'),
      '--store',
      closure.store.root,
      '--name',
      'piped',
      '--to',
      '-',
    ];
    const quoted = phylloCommand(args)
      .map((word) => `'${word}'`)
      .join(' ');
    const place = join(directory, 'podman');
    const load = `podman --storage-driver=vfs --root=${place} --runroot=${place}-run --tmpdir=${place}-tmp load`;
    const { exitCode, stdout, stderr } = await run('bash', ['-o', 'pipefail', '-c', `${quoted} | ${load}`]);
    assert.equal(exitCode, 0, stderr);
    assert.match(stdout, /piped:1/);
  });
});

describeWith(['nix', 'containerd'], 'an archive without layers that containerd has', () => {
  let containerd: Containerd;
  before(async () => {
    containerd = await startContainerd(directory);
  });
  after(() => containerd.stop());

  it('is imported and runs', async () => {
    const closure = await sharedClosure();
    const [one = '', two = ''] = await manyParts();
    const archives: string[] = [];
    for (const part of [one, two]) {
      const archive = join(directory, `containerd-${archives.length}.tar`);
      const image = describeMany(closure, [part], 'containerd');
      const to = `oci-archive:${archive}:many:${archives.length}`;
      await phylloChecked(['build', image, '--store', closure.store.root, '--to', to]);
      archives.push(archive);
    }
    const [before, changed] = await Promise.all(archives.map((archive) => openImage(archive)));
    assert.ok(before !== undefined && changed !== undefined);
    try {
      const omitted = new Set(before.layers.map(({ descriptor }) => descriptor.digest));
      const partial = join(directory, 'partial.tar');
      const names = changed.names.flatMap((name) => referenceOf(name) ?? []);
      await writeToFile(partial, encodeImagesArchive([{ image: changed, names }], { omitted }));
      assert.ok(readFileSync(partial).length < PATH_BYTES + OVERHEAD_BYTES);
      await containerd.ctr(['images', 'import', archives[0] as string]);
      await containerd.ctr(['images', 'import', partial]);
      assert.equal(await containerd.ctr(['run', '--rm', 'docker.io/library/many:1', 'partial']), GREETING);
    } finally {
      before.close();
      changed.close();
    }
  });
});
