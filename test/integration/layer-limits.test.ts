/** Budgets at the limits of the world: Docker's 125 layers, the 128 of dockerTools' example, and as few as there can be. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { buildAttributes } from './support/closure.ts';
import { startDocker } from './support/docker.ts';
import type { Docker } from './support/docker.ts';
import { createNixStore } from './support/nix.ts';
import type { NixStore } from './support/nix.ts';
import { phyllo, phylloPlan, plannedPaths } from './support/phyllo.ts';
import { describeWith } from './support/requirements.ts';
import { readThroughSkopeo } from './support/skopeo.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';

const directory = temporaryDirectory();

describeWith(['nix', 'docker', 'skopeo'], 'an image of 135 store paths', () => {
  let store: NixStore;
  let description: string;
  let docker: Docker;

  before(async () => {
    store = createNixStore(directory);
    const [chain = '', hello = ''] = await buildAttributes(store, ['chain130', 'hello']);
    description = join(directory, 'image.json');
    const config = { Cmd: ['/bin/hello'], Labels: { chain } };
    writeFileSync(description, JSON.stringify({ name: 'deep', tag: '1', contents: [hello], config }));
    docker = await startDocker(directory);
  });
  after(() => docker.stop());

  async function build(
    maxLayers: number,
  ): Promise<{ readonly archive: string; readonly warnings: readonly string[] }> {
    const archive = join(directory, `${maxLayers}.tar`);
    const options = ['--store', store.root, '--max-layers', String(maxLayers)];
    const outcome = await phyllo(['build', description, ...options, '--to', `docker-archive:${archive}`]);
    assert.equal(outcome.exitCode, 0, outcome.stderr);
    return { archive, warnings: outcome.stderr.match(/^warning: .*$/gm) ?? [] };
  }

  for (const maxLayers of [2, 3, 100, 125])
    it(`runs in Docker with ${maxLayers} layers`, async () => {
      const { archive, warnings } = await build(maxLayers);
      assert.deepEqual(warnings, []);
      await docker.load(archive);
      const { stdout } = await docker.runContainer('deep:1');
      assert.equal(stdout, 'Hello from a stack of store paths!\n');
      const [image] = JSON.parse(await docker.command(['image', 'inspect', 'deep:1'])) as [
        { readonly RootFS: { readonly Layers: readonly string[] } },
      ];
      assert.equal(image.RootFS.Layers.length, maxLayers);
      await docker.command(['image', 'rm', 'deep:1']);
    });

  it('has no path twice and misses none, whatever the budget', async () => {
    const plans = await Promise.all(
      [2, 3, 128, 500].map((maxLayers) =>
        phylloPlan([description, '--store', store.root, '--max-layers', String(maxLayers)]),
      ),
    );
    for (const plan of plans) {
      const paths = plannedPaths(plan);
      assert.equal(paths.length, 134);
      assert.deepEqual(paths, [...new Set(paths)]);
    }
  });

  it('is made with 128 layers, with a warning that Docker cannot run it', async () => {
    const { archive, warnings } = await build(128);
    assert.equal(warnings.length, 1);
    assert.match(warnings.join(), /128.*125/);
    const output = join(directory, 'deep');
    mkdirSync(output);
    const image = await readThroughSkopeo(`docker-archive:${archive}`, output);
    assert.equal(image.layerDigests.length, 128);
    assert.notEqual((await docker.tryCommand(['load', '-i', archive])).exitCode, 0);
  });
});
