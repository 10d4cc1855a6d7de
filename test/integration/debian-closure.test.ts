/** A real program with its real dependencies: Debian's git, about 50 store paths, runs from the image. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { buildDebianClosure } from './support/debian-closure.ts';
import { startDocker } from './support/docker.ts';
import type { Docker } from './support/docker.ts';
import { closureOf, createNixStore } from './support/nix.ts';
import type { NixStore } from './support/nix.ts';
import { phylloChecked, phylloPlan, plannedPaths } from './support/phyllo.ts';
import { describeWith } from './support/requirements.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';

const directory = temporaryDirectory();

describeWith(['nix', 'debianPackages', 'docker'], "the closure of Debian's git", () => {
  let store: NixStore;
  let packages: readonly string[];
  let description: string;
  let docker: Docker;

  before(async () => {
    store = createNixStore(directory);
    packages = await buildDebianClosure(store, { directory, roots: ['git'] });
    description = join(directory, 'image.json');
    const config = { Entrypoint: ['/usr/bin/git'], Env: ['PATH=/usr/bin:/bin', 'HOME=/'] };
    writeFileSync(description, JSON.stringify({ name: 'git', tag: '1', contents: packages, config }));
    docker = await startDocker(directory);
  });
  after(() => docker.stop());

  it('is what Nix says it is', async () => {
    const plan = await phylloPlan([description, '--store', store.root]);
    const closure = await closureOf(store, packages);
    assert.ok(closure.length > 30, `${closure.length} store paths`);
    assert.deepEqual(plannedPaths(plan), closure);
  });

  it('has a layer for each package within the budget', async () => {
    const { layers } = await phylloPlan([
      description,
      '--store',
      store.root,
      '--max-layers',
      '20',
      '--layering',
      'popularity',
    ]);
    assert.deepEqual(
      layers.map(({ kind, paths }) => (kind === 'store' && paths.length > 1 ? 'rest' : kind)),
      [...Array<string>(18).fill('store'), 'rest', 'customisation'],
    );
  });

  it('runs in Docker: its loader, its libraries and its programs are found through the links at /', async () => {
    const archive = join(directory, 'git.tar');
    await phylloChecked(['build', description, '--store', store.root, '--to', `docker-archive:${archive}`]);
    await docker.load(archive);
    const version = await docker.runContainer('git:1', ['--version']);
    assert.match(version.stdout, /^git version \d/, version.stderr);
    const repository = await docker.runContainer('git:1', ['init', '/repository']);
    assert.match(repository.stdout, /^Initialized empty Git repository/, repository.stderr);
  });
});
