/** What one machine knows of layers, others learn from a registry: and nobody gets a wrong image by it. */
import assert from 'node:assert/strict';
import { cpSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { buildTestClosure, describeTestImage, type TestClosure } from './support/closure.ts';
import { phyllo, phylloChecked } from './support/phyllo.ts';
import { runChecked } from './support/process.ts';
import { type Registry, startRegistry } from './support/registry.ts';
import { describeWith } from './support/requirements.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';

const directory = temporaryDirectory();
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';

interface Built {
  readonly made: number;
  readonly imageID: string;
  readonly manifestDigest: string;
  readonly layers: readonly { readonly digest: string; readonly diffID: string }[];
  readonly sharedCache: { readonly learnt: number; readonly published: number };
  readonly warnings: readonly string[];
}

describeWith(['nix', 'registry'], 'a shared digest cache', () => {
  let closure: TestClosure;
  let description: string;
  let registry: Registry;
  let machines = 0;

  before(async () => {
    closure = await buildTestClosure(directory);
    description = describeTestImage(directory, closure.top);
    registry = await startRegistry(directory);
  });
  after(() => registry.stop());

  /** A machine that never built anything, and a repository for its cache. */
  function machine(
    repository: string,
  ): (layout: string, options?: readonly string[]) => readonly [string[], object] {
    machines += 1;
    const env = { XDG_CACHE_HOME: join(directory, `machine-${machines}`) };
    const cache = ['--cache', `docker://${registry.host}/${repository}`];
    const common = ['--store', closure.store.root, '--json', '--quiet', '--compress', 'gzip:1'];
    return (layout, options = []) => [
      ['build', description, ...common, ...cache, ...options, '--to', `oci:${layout}`],
      { env },
    ];
  }

  type Arguments = readonly [string[], object];

  async function build([args, options]: Arguments): Promise<Built> {
    return JSON.parse(await phylloChecked(args, options)) as Built;
  }

  function layout(name: string): string {
    return join(directory, name);
  }

  /** Writes every entry of a repository anew. */
  async function tamper(repository: string, change: (manifest: string) => string): Promise<void> {
    const base = `http://${registry.host}/v2/${repository}`;
    const { tags } = (await (await fetch(`${base}/tags/list`)).json()) as {
      readonly tags: readonly string[];
    };
    for (const tag of tags) {
      const manifest = await (
        await fetch(`${base}/manifests/${tag}`, { headers: { accept: MANIFEST } })
      ).text();
      const headers = { 'content-type': MANIFEST };
      const put = await fetch(`${base}/manifests/${tag}`, { method: 'PUT', headers, body: change(manifest) });
      assert.equal(put.status, 201);
    }
  }

  it('tells a machine that never made a layer what it is', async () => {
    const [first, second] = [machine('a/cache'), machine('a/cache')];
    const one = await build(first(layout('one')));
    assert.equal(one.made, one.layers.length);
    assert.deepEqual(one.sharedCache, { learnt: 0, published: one.layers.length });
    // The blobs come to the other machine in another way.
    cpSync(layout('one'), layout('two'), { recursive: true });
    const two = await build(second(layout('two')));
    assert.equal(two.made, 0);
    assert.deepEqual(two.sharedCache, { learnt: one.layers.length, published: 0 });
    assert.equal(two.manifestDigest, one.manifestDigest);
  });

  it('is told what is known already, and not by who may only read it', async () => {
    const own = machine('b/cache');
    const one = await build(own(layout('b-one'), ['--cache-read-only']));
    assert.equal(one.sharedCache.published, 0);
    const two = await build(own(layout('b-one')));
    assert.equal(two.made, 0);
    assert.equal(two.sharedCache.published, one.layers.length);
  });

  it('stops a build whose bytes are not those that it tells of', async () => {
    await build(machine('c/cache')(layout('c-one')));
    await tamper('c/cache', (text) => text.replace(/(diffID\\":\\"sha256:)[0-9a-f]{8}/, '$100000000'));
    const [args, options] = machine('c/cache')(layout('c-two'));
    const { exitCode, stderr } = await phyllo(args, options);
    assert.equal(exitCode, 1);
    assert.match(stderr, /\[LAYER_MISMATCH\]/);
    const index = JSON.parse(readFileSync(join(layout('c-two'), 'index.json'), 'utf8')) as {
      manifests: unknown[];
    };
    assert.deepEqual(index.manifests, []);
  });

  it('is believed only as far as its entries are signed, where keys are trusted', async () => {
    const keys = ['secret', 'public'].map((name) => join(directory, name));
    await runChecked('nix-store', ['--generate-binary-cache-key', 'ci-1', ...keys]);
    const [secret = '', shared = ''] = keys;
    const trusting = ['--cache-trusted-keys', readFileSync(shared, 'utf8').trim()];
    const one = await build(machine('d/cache')(layout('d-one'), ['--cache-secret-key-file', secret]));
    const two = await build(machine('d/cache')(layout('d-one'), trusting));
    assert.equal(two.made, 0);
    // Somebody who may write to the repository names another blob that is there: wrong for all layers but one.
    const wrong = one.layers[0]!.digest.slice(7);
    await tamper('d/cache', (text) => text.replace(/(\\"digest\\":\\"sha256:)[0-9a-f]{64}/, `$1${wrong}`));
    const three = await build(machine('d/cache')(layout('d-one'), trusting));
    assert.equal(three.made, three.layers.length - 1);
    assert.equal(three.manifestDigest, one.manifestDigest);
    const four = await build(
      machine('d/cache')(layout('d-one'), [...trusting, '--cache-secret-key-file', secret]),
    );
    assert.equal(
      four.sharedCache.published,
      four.layers.length - 1,
      'entries that nobody believes are replaced',
    );
  });

  it('does not stop a build by not being there', async () => {
    machines += 1;
    const env = { XDG_CACHE_HOME: join(directory, `machine-${machines}`) };
    const args = ['build', description, '--store', closure.store.root, '--json', '--quiet'];
    const to = ['--to', `oci:${layout('e')}`, '--cache', 'docker://127.0.0.1:1/cache'];
    const built = await build([[...args, ...to], { env }]);
    assert.equal(built.warnings.length, 1);
  });

  it('has a name of its own', async () => {
    for (const name of ['oci:x', `docker://${registry.host}/a/cache:tag`, 'docker://'])
      assert.notEqual(
        (await phyllo(['build', description, '--cache', name, '--to', `oci:${layout('f')}`])).exitCode,
        0,
      );
    const { exitCode } = await phyllo([
      'build',
      description,
      '--cache-read-only',
      '--to',
      `oci:${layout('f')}`,
    ]);
    assert.equal(exitCode, 2);
    assert.ok(!existsSync(layout('f')));
  });
});
