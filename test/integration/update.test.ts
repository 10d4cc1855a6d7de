/**
 * Updates with real Nix: what `phyllo plan --previous` says beforehand is what a layout and a registry then get, and `phyllo diff`
 * says why.
 */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import type { PlanJson, UpdateCost } from '../../src/index.ts';
import { createNixStore, nixBuild, type NixStore } from './support/nix.ts';
import { phyllo, phylloChecked } from './support/phyllo.ts';
import { type Registry, startRegistry } from './support/registry.ts';
import { describeWith } from './support/requirements.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';

const directory = temporaryDirectory();
const RELEASES = join(import.meta.dirname, 'support/releases.nix');

interface Versions {
  readonly library?: string;
  readonly middle?: string;
  readonly root?: string;
  readonly leaf?: string;
}

/** Bytes by digest of a layout's blobs. */
function blobsOf(layout: string): ReadonlyMap<string, number> {
  const blobs = join(layout, 'blobs/sha256');
  return new Map(readdirSync(blobs).map((name) => [`sha256:${name}`, statSync(join(blobs, name)).size]));
}

describeWith(['nix', 'registry'], 'an update', () => {
  let store: NixStore;
  let registry: Registry;
  before(async () => {
    store = createNixStore(directory);
    registry = await startRegistry(directory);
    await release('first', {});
  });
  after(() => registry.stop());

  async function release(tag: string, versions: Versions): Promise<string> {
    const expression = join(directory, `${tag}.nix`);
    const args = Object.entries(versions).map(([name, version]) => `${name} = "${version}";`);
    writeFileSync(expression, `import ${RELEASES} { ${args.join(' ')} }`);
    const [app = ''] = await nixBuild(store, expression);
    const file = join(directory, `${tag}.json`);
    writeFileSync(
      file,
      JSON.stringify({ name: 'app', tag, contents: [app], layering: 'steady', maxLayers: 6 }),
    );
    return file;
  }

  async function plan(file: string, args: readonly string[]): Promise<PlanJson> {
    return JSON.parse(
      await phylloChecked(['plan', file, '--store', store.root, '--json', ...args]),
    ) as PlanJson;
  }

  async function build(file: string, layout: string, args: readonly string[] = []): Promise<void> {
    const options = ['--store', store.root, '--no-cache', '--to', `oci:${layout}`, ...args];
    await phylloChecked(['build', file, ...options]);
  }

  const CHANGES: readonly (readonly [string, Versions, RegExp, number])[] = [
    ['root', { root: '2' }, /^app$/, 1],
    ['leaf', { leaf: '2' }, /^data$/, 2],
    ['middle', { middle: '2' }, /^mid$/, 2],
    ['library', { library: '2' }, /^lib$/, 4],
  ];
  for (const [tag, versions, name, resent] of CHANGES)
    it(`of the ${tag} sends what was planned, and says why`, async () => {
      const layout = join(directory, `layout-${tag}`);
      await build(join(directory, 'first.json'), layout);
      const existing = blobsOf(layout);
      const file = await release(tag, versions);
      const previous = ['--previous', `oci:${layout}:first`];
      const { update, changes } = await plan(file, previous);
      assert.equal(update?.measure, 'tar');
      await build(file, layout, previous);

      const cost = JSON.parse(
        await phylloChecked([
          'diff',
          `oci:${layout}:first`,
          `oci:${layout}:${tag}`,
          '--json',
          '--store',
          store.root,
        ]),
      ) as UpdateCost;
      const documents = readImage(layout, tag);
      const added = [...blobsOf(layout)].filter(([digest]) => !existing.has(digest));
      const sent = added.filter(([digest]) => documents.layers.includes(digest));
      assert.equal(sum(sent), update.pull);
      assert.equal(sent.length, update.pulledLayers);
      assert.equal(sum(sent), cost.pull);
      assert.ok(cost.bound !== undefined && cost.bound <= cost.pull);
      assert.equal(update.bound, cost.bound);

      for (const { why } of [update, cost]) {
        assert.equal(why?.causes.length, 1);
        assert.match(why.causes[0]!.name, name);
        assert.equal(why.causes[0]!.resent, resent);
      }
      // The record goes with the image.
      assert.deepEqual(Object.keys(changes?.changed ?? {}).length, 1);
      assert.equal(changes?.steps, 1);
      assert.ok(
        documents.history.some(({ comment }) => comment === `phyllo changes: ${JSON.stringify(changes)}`),
      );
    });

  for (const [tag, versions] of CHANGES)
    it(`of the ${tag} uploads what was planned`, async () => {
      const repository = `${registry.host}/${tag}`;
      const push = async (file: string, to: string, args: readonly string[] = []): Promise<Pushed> => {
        const options = ['--store', store.root, '--no-cache', '--compress', 'none', '--json', ...args];
        const built = await phylloChecked([
          'build',
          file,
          ...options,
          '--to',
          `docker://${repository}:${to}`,
        ]);
        return (JSON.parse(built) as { readonly pushed: readonly [Pushed] }).pushed[0];
      };
      await push(join(directory, 'first.json'), 'first');
      const file = await release(`pushed-${tag}`, versions);
      const previous = ['--previous', `docker://${repository}:first`];
      const { update } = await plan(file, previous);
      const { sent, bytesSent } = await push(file, 'next', previous);

      const [first, next] = await Promise.all(
        ['first', 'next'].map((name) => manifestOf(registry, tag, name)),
      );
      const had = new Set(first!.layers.map(({ digest }) => digest));
      const added = next!.layers.filter(({ digest }) => !had.has(digest));
      const pulled = added.reduce((total, { size }) => total + size, 0);
      assert.deepEqual([pulled, added.length], [update?.pull, update?.pulledLayers]);
      // The configuration is a blob, too; the manifest is none.
      assert.equal(sent, added.length + 1);
      assert.equal(bytesSent, pulled + next!.config.size + next!.bytes);
    });

  it('keeps layers through a plan as through its image', async () => {
    const layout = join(directory, 'layout-plan');
    await build(join(directory, 'first.json'), layout);
    const planned = join(directory, 'plan.json');
    writeFileSync(planned, JSON.stringify(await plan(join(directory, 'first.json'), [])));
    const file = await release('by-plan', { middle: '3' });
    const [byPlan, byImage] = [
      await plan(file, ['--previous', planned]),
      await plan(file, ['--previous', `oci:${layout}:first`]),
    ];
    assert.deepEqual(byPlan.layers, byImage.layers);
    assert.deepEqual(byPlan.changes, byImage.changes);
    // A plan does not know what links the image before had.
    const top = byImage.update?.layers.find(({ kind }) => kind === 'customisation');
    assert.equal(top?.state, 'changed');
    assert.equal(byPlan.update?.pull, (byImage.update?.pull ?? 0) - (top?.size ?? 0));
    assert.deepEqual(await plan(file, ['--previous', planned]), byPlan);
  });

  it('to the same closure makes the same image', async () => {
    const layout = join(directory, 'layout-same');
    const file = join(directory, 'first.json');
    await build(file, layout);
    const existing = blobsOf(layout);
    await build(file, layout, ['--previous', `oci:${layout}:first`, '--name', 'app', '--tag', 'again']);
    assert.deepEqual(blobsOf(layout), existing);
  });

  it('needs a previous image of ours, or an option that makes do without', async () => {
    const layout = join(directory, 'foreign');
    const file = join(directory, 'first.json');
    await build(file, layout, ['--no-include-store-paths']);
    const previous = ['--store', store.root, '--previous', `oci:${layout}`];
    const refused = await phyllo(['plan', file, ...previous]);
    assert.equal(refused.exitCode, 1);
    assert.match(refused.stderr, /\[PREVIOUS_INVALID\]/);
    const fresh = await phyllo(['plan', file, ...previous, '--previous-optional', '--json']);
    assert.equal(fresh.exitCode, 0);
    assert.match(fresh.stderr, /^warning: /m);
    assert.deepEqual((JSON.parse(fresh.stdout) as PlanJson).layers, (await plan(file, [])).layers);
    const notJson = join(directory, 'broken.json');
    writeFileSync(notJson, '{ ');
    assert.match((await phyllo(['plan', file, '--previous', notJson])).stderr, /\[PREVIOUS_INVALID\]/);
  });

  it('above --max-pull is refused with status 1', async () => {
    const layout = join(directory, 'layout-guard');
    mkdirSync(layout);
    await build(join(directory, 'first.json'), layout);
    await build(await release('guard', { library: '9' }), layout, ['--previous', `oci:${layout}:first`]);
    const images = [`oci:${layout}:first`, `oci:${layout}:guard`];
    const above = await phyllo(['diff', ...images, '--max-pull', '100kB', '--store', store.root]);
    assert.equal(above.exitCode, 1);
    assert.match(above.stderr, /\[PULL_TOO_LARGE\]/);
    assert.match(above.stdout, /lib 3\.1 -> 3\.9 re-sends 4 paths in \d layers?/);
    for (const line of above.stdout.split('\n')) assert.ok(line.length <= 80, line);
    const below = await phyllo(['diff', ...images, '--max-pull', '50MB']);
    assert.equal(below.exitCode, 0);
    assert.equal((await phyllo(['diff', ...images, '--max-pull', 'much'])).exitCode, 2);
  });
});

interface Pushed {
  /** Blobs. */
  readonly sent: number;
  readonly bytesSent: number;
}

interface Described {
  readonly digest: string;
  readonly size: number;
}

interface PushedManifest {
  readonly config: Described;
  readonly layers: readonly Described[];
  /** Of the manifest itself. */
  readonly bytes: number;
}

/** As the registry gives it. */
async function manifestOf({ host }: Registry, repository: string, tag: string): Promise<PushedManifest> {
  const accept = 'application/vnd.oci.image.manifest.v1+json';
  const response = await fetch(`http://${host}/v2/${repository}/manifests/${tag}`, { headers: { accept } });
  const text = await response.text();
  return { ...(JSON.parse(text) as PushedManifest), bytes: Buffer.byteLength(text) };
}

interface Documents {
  /** Digests, bottom to top. */
  readonly layers: readonly string[];
  readonly history: readonly { readonly comment?: string }[];
}

function readImage(layout: string, tag: string): Documents {
  const read = (path: string): unknown => JSON.parse(readFileSync(join(layout, path), 'utf8'));
  const blob = (digest: string): unknown => read(`blobs/${digest.replace(':', '/')}`);
  const { manifests } = read('index.json') as {
    readonly manifests: readonly { readonly digest: string; readonly annotations?: Record<string, string> }[];
  };
  const entry = manifests.find(({ annotations = {} }) =>
    annotations['org.opencontainers.image.ref.name']?.endsWith(tag),
  );
  const manifest = blob(entry!.digest) as {
    readonly config: { readonly digest: string };
    readonly layers: readonly { readonly digest: string }[];
  };
  const { history } = blob(manifest.config.digest) as Pick<Documents, 'history'>;
  return { layers: manifest.layers.map(({ digest }) => digest), history };
}

function sum(blobs: readonly (readonly [string, number])[]): number {
  return blobs.reduce((total, [, size]) => total + size, 0);
}
