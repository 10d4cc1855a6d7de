/** Pushing into the real registry: what it gets, what it is spared, and what others make of it. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { once } from './support/once.ts';
import { buildTestClosure, describeTestImage, type TestClosure } from './support/closure.ts';
import { type Docker, startDocker } from './support/docker.ts';
import { HELLO, phyllo, phylloChecked, phylloCommand } from './support/phyllo.ts';
import { runChecked } from './support/process.ts';
import { passwordFile, type Registry, startRegistry } from './support/registry.ts';
import { describeWith } from './support/requirements.ts';
import { readThroughSkopeo } from './support/skopeo.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';

const directory = temporaryDirectory();
const sharedClosure = once(() => buildTestClosure(directory));

interface Built {
  readonly imageID: string;
  readonly manifestDigest: string;
  readonly made: number;
  readonly layers: readonly { readonly digest: string; readonly size: number }[];
  readonly pushed: readonly {
    readonly name: string;
    readonly digest: string;
    readonly present: number;
    readonly mounted: number;
    readonly sent: number;
    readonly bytesSent: number;
  }[];
}

describeWith(['nix', 'registry', 'skopeo'], 'push', () => {
  let registry: Registry;
  let closure: TestClosure;
  let image: string;
  let seen = 0;

  before(async () => {
    registry = await startRegistry(directory);
    closure = await sharedClosure();
    image = describeTestImage(directory, closure.top);
  });
  after(() => registry.stop());

  const options = (): readonly string[] => ['--store', closure.store.root];
  const build = async (...args: readonly string[]): Promise<Built> =>
    JSON.parse(await phylloChecked(['build', image, ...options(), '--json', ...args])) as Built;
  /** What the registry was asked since the last call, uploads' names left out. */
  const asked = (): string[] => {
    const all = registry.requests();
    const fresh = all.slice(seen).map((line) => line.replace(/\/uploads\/[0-9a-f-]{36}\?\S*/, '/uploads/ID'));
    seen = all.length;
    return fresh;
  };

  it('gives the registry an image that skopeo reads, and prints its digest', async () => {
    const to = `docker://${registry.host}/team/first:1`;
    const { exitCode, stdout, stderr } = await phyllo(['build', image, ...options(), '--to', to]);
    assert.equal(exitCode, 0, stderr);
    assert.match(stdout, /^sha256:[0-9a-f]{64}\n$/);
    const copied = await readThroughSkopeo(
      `${to.replace(/:1$/, '')}@${stdout.trim()}`,
      join(directory, 'first'),
    );
    assert.deepEqual(
      copied.layerDigests,
      copied.manifest.layers.map(({ digest }) => digest),
    );
    assert.ok(copied.manifest.layers.every(({ mediaType }) => mediaType.endsWith('tar+gzip')));
    asked();
  });

  it('asks twice for an image that is there, and sends nothing', async () => {
    const { pushed, made } = await build('--to', `docker://${registry.host}/team/first:1`);
    const requests = asked();
    assert.equal(made, 0);
    assert.equal(pushed[0]?.bytesSent, 0);
    assert.deepEqual(
      requests.map((line) => line.replace(/\/v2\/.*manifests\/\S+/, 'MANIFEST')),
      ['GET /v2/ 200', 'HEAD MANIFEST 200', 'HEAD MANIFEST 200'],
    );
  });

  it('sends another tag as a manifest alone', async () => {
    const { pushed, manifestDigest } = await build('--to', `docker://${registry.host}/team/first:2`);
    assert.equal(pushed[0]?.digest, manifestDigest);
    assert.deepEqual(
      asked().filter((line) => !/^(GET|HEAD) /.test(line)),
      ['PUT /v2/team/first/manifests/2 201'],
    );
  });

  it('mounts what another repository has', async () => {
    const { pushed, made } = await build(
      '--to',
      `docker://${registry.host}/team/other:1`,
      '--mount-from',
      'team/first',
    );
    const [{ mounted, sent } = { mounted: 0, sent: 0 }] = pushed;
    assert.equal(made, 0);
    assert.ok(mounted > 2);
    assert.equal(sent, 1, 'the config');
    const mounts = asked().filter((line) => /^POST .*mount=/.test(line));
    assert.equal(mounts.length, mounted);
    assert.ok(mounts.every((line) => line.endsWith(' 201')));
  });

  it('makes each layer once for several destinations', async () => {
    const to = ['one', 'two'].map((name) => `docker://${registry.host}/many/${name}:1`);
    const layout = join(directory, 'layout');
    const args = ['--compress', 'zstd', '--no-cache', '--to', ...to, `oci:${layout}:1`];
    const { pushed, made, layers } = await build(...args);
    assert.equal(made, layers.length);
    assert.deepEqual(
      pushed.map(({ name, sent }) => [name, sent]),
      to.map((name) => [name.slice('docker://'.length), layers.length + 1]),
    );
    for (const source of [...to, `oci:${layout}:1`]) {
      const copied = await readThroughSkopeo(
        source,
        join(directory, `many-${source.replaceAll(/\W/g, '-')}`),
      );
      assert.deepEqual(
        copied.layerDigests,
        layers.map(({ digest }) => digest),
      );
    }
  });

  it('sends layers as they are when asked to', async () => {
    const to = `docker://${registry.host}/team/plain:1`;
    const { layers } = await build('--compress', 'none', '--no-cache', '--to', to);
    const copied = await readThroughSkopeo(to, join(directory, 'plain'));
    assert.deepEqual(copied.layerDigests, copied.config.rootfs.diff_ids);
    assert.equal(copied.layerDigests.length, layers.length);
  });

  it('does not push to a digest', async () => {
    const to = `docker://${registry.host}/team/plain@sha256:${'0'.repeat(64)}`;
    const { exitCode, stderr } = await phyllo(['build', image, ...options(), '--to', to]);
    assert.equal(exitCode, 2);
    assert.match(stderr, /DESTINATION_INVALID|USAGE_INVALID/);
  });
});

describeWith(['registry', 'skopeo', 'strace'], 'push again', () => {
  const image = join(HELLO, 'image.json');
  const proof = 'me:open sesame';
  let registry: Registry;
  let to: string;

  before(async () => {
    registry = await startRegistry(directory, {
      name: 'registry-with-password',
      auth: passwordFile(directory),
    });
    to = `docker://${registry.host}/team/again:1`;
  });
  after(() => registry.stop());

  const push = async (): Promise<Built> =>
    JSON.parse(await phylloChecked(['build', image, '--json', '--creds', proof, '--to', to])) as Built;
  const deleteFrom = async (path: string): Promise<number> => {
    const authorization = `Basic ${Buffer.from(proof).toString('base64')}`;
    const url = `http://${registry.host}/v2/team/again/${path}`;
    return (await fetch(url, { method: 'DELETE', headers: { authorization } })).status;
  };

  it('brings back what was deleted, and no more, where a password is wanted', async () => {
    const first = await push();
    const [layer] = first.layers;
    assert.equal(await deleteFrom(`manifests/${first.manifestDigest}`), 202);
    assert.equal(await deleteFrom(`blobs/${layer?.digest}`), 202);
    const { pushed, manifestDigest, made } = await push();
    assert.equal(manifestDigest, first.manifestDigest);
    assert.deepEqual([made, pushed[0]?.sent, pushed[0]?.present], [1, 1, first.layers.length]);
    const target = join(directory, 'again');
    const args = [
      '--insecure-policy',
      'copy',
      '--src-tls-verify=false',
      '--src-creds',
      proof,
      to,
      `oci:${target}:1`,
    ];
    await runChecked('skopeo', args);
  });

  it('opens no file of the store for an image that is there', async () => {
    await push();
    const trace = join(directory, 'trace');
    const command = phylloCommand(['build', image, '--creds', proof, '--to', to]);
    await runChecked('strace', ['-f', '-qq', '-e', 'trace=open,openat', '-o', trace, ...command]);
    const opened = readFileSync(trace, 'utf8');
    assert.match(opened, /image\.json/);
    assert.doesNotMatch(opened, /\/nix\/store\/|\.nar\b/);
  });
});

describeWith(['nix', 'registry', 'docker'], 'push for Docker', () => {
  let registry: Registry;
  let docker: Docker;

  before(async () => {
    registry = await startRegistry(directory, { name: 'registry-for-docker' });
    docker = await startDocker(directory);
  });
  after(async () => {
    await docker.stop();
    await registry.stop();
  });

  it('is pulled and runs', async () => {
    const closure = await sharedClosure();
    const image = describeTestImage(directory, closure.top);
    const name = `${registry.host}/test/hello:1`;
    const digest = await phylloChecked([
      'build',
      image,
      '--store',
      closure.store.root,
      '--to',
      `docker://${name}`,
    ]);
    assert.match(await docker.command(['pull', name]), new RegExp(digest.trim()));
    assert.equal((await docker.runContainer(name)).exitCode, 0);
  });
});
