/** The same closure read from everywhere that a closure can be read from: the same image, to the byte. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, it } from 'node:test';
import { buildAttributes, buildTestClosure, describeTestImage } from './support/closure.ts';
import type { TestClosure } from './support/closure.ts';
import { asMachineStore, closureOf, copyToCache, pathInfoJson, realPath } from './support/nix.ts';
import { phylloChecked, phylloCommand, phylloPlan, plannedPaths } from './support/phyllo.ts';
import { runChecked } from './support/process.ts';
import { describeWith } from './support/requirements.ts';
import { sha256OfFile } from './support/skopeo.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';

const directory = temporaryDirectory();

describeWith(['nix'], 'an image from a closure that Nix built', () => {
  let closure: TestClosure;
  let description: string;
  let expected: string;

  before(async () => {
    closure = await buildTestClosure(directory);
    description = describeTestImage(directory, closure.top);
    const archive = join(directory, 'expected.tar');
    await phylloChecked([
      'build',
      description,
      '--store',
      closure.store.root,
      '--to',
      `docker-archive:${archive}`,
    ]);
    expected = await sha256OfFile(archive);
  });

  /** The digest of the archive that these options make where the test's store is the machine's own. */
  async function buildOnMachine(options: readonly string[]): Promise<string> {
    const archive = join(directory, 'archive.tar');
    const build = phylloCommand(['build', description, ...options, '--to', `docker-archive:${archive}`]);
    const [program = '', ...args] = asMachineStore(closure.store, build);
    await runChecked(program, args);
    return sha256OfFile(archive);
  }

  it('holds the closure that nix-store answers', async () => {
    const plan = await phylloPlan([description, '--store', closure.store.root]);
    assert.deepEqual(plannedPaths(plan), await closureOf(closure.store, [closure.top]));
  });

  it("is the same from the machine's own store", async () => {
    assert.equal(await buildOnMachine([]), expected);
    assert.equal(await buildOnMachine(['--store', 'auto']), expected);
  });

  it('is the same with the graph that nix path-info prints', async () => {
    const graph = join(directory, 'path-info.json');
    writeFileSync(graph, await pathInfoJson(closure.store, [closure.top]));
    assert.equal(await buildOnMachine(['--graph', graph]), expected);
  });

  it('is the same with the graph that a derivation gets from exportReferencesGraph', async () => {
    const [attributes = ''] = await buildAttributes(closure.store, ['graph']);
    assert.equal(await buildOnMachine(['--graph', realPath(closure.store, attributes)]), expected);
  });

  for (const compression of ['none', 'xz', 'zstd'] as const) {
    it(`is the same from a binary cache with compression ${compression}`, async () => {
      const cache = join(directory, `cache-${compression}`);
      mkdirSync(cache);
      await copyToCache(closure.store, [closure.top], { directory: cache, compression });
      const archive = join(directory, 'from-cache.tar');
      await phylloChecked([
        'build',
        description,
        '--store',
        `file://${cache}`,
        '--to',
        `docker-archive:${archive}`,
      ]);
      assert.equal(await sha256OfFile(archive), expected);
    });
  }

  it('contains what the configuration mentions in the middle of a string, with its closure', async () => {
    const file = join(directory, 'mention.json');
    const config = { Env: [`SEARCH=/bin:${closure.oddities}/empty:/usr/bin`] };
    writeFileSync(file, JSON.stringify({ name: 'mention', config }));
    const plan = await phylloPlan([file, '--store', closure.store.root]);
    assert.deepEqual(plannedPaths(plan), [closure.oddities, closure.large].sort());
  });
});
