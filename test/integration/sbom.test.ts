/** Bills of materials of images and store paths that real Nix made. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, it } from 'node:test';
import type { SbomFormat } from '../../src/sbom/encode-bill.ts';
import { assertValidSbom } from '../support/sbom-schemas.ts';
import { buildTestClosure, describeTestImage } from './support/closure.ts';
import type { TestClosure } from './support/closure.ts';
import { phyllo, phylloChecked, phylloPlan, plannedPaths } from './support/phyllo.ts';
import { describeWith } from './support/requirements.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';

const directory = temporaryDirectory();
const FORMATS: readonly SbomFormat[] = ['cyclonedx', 'spdx'];

describeWith(['nix'], 'a bill of materials', () => {
  let closure: TestClosure;
  let description: string;
  let store: readonly string[];
  let layout: string;
  let paths: readonly string[];

  before(async () => {
    closure = await buildTestClosure(directory);
    description = describeTestImage(directory, closure.top);
    store = ['--store', closure.store.root];
    layout = `oci:${join(directory, 'layout')}:1`;
    await phylloChecked(['build', description, ...store, '--quiet', '--to', layout]);
    paths = plannedPaths(await phylloPlan([description, ...store]));
  });

  for (const format of FORMATS) {
    it(`in ${format} lists every store path of an image, with its hash where there is a store`, async () => {
      const text = await phylloChecked(['sbom', layout, ...store, '--format', format]);
      await assertValidSbom(text, format);
      assert.deepEqual(pathsIn(text), paths);
      assert.equal(hashesIn(text), paths.length + 1);
    });

    it(`in ${format} is written to a file whole, and the same each time, whatever the locale and the time zone`, async () => {
      const texts: string[] = [];
      for (const env of [
        { LC_ALL: 'C', TZ: 'UTC' },
        { LC_ALL: 'lt_LT.UTF-8', TZ: 'Asia/Tokyo' },
      ]) {
        const file = join(directory, `${format}-${env.LC_ALL}`);
        const args = ['sbom', closure.top, ...store, '--format', format, '--output', file];
        assert.equal(await phylloChecked(args, { env }), '');
        texts.push(readFileSync(file, 'utf8'));
      }
      await assertValidSbom(texts[0] as string, format);
      assert.equal(texts[1], texts[0]);
    });
  }

  it('of an image without a store says what is not known', async () => {
    const { stdout, stderr, exitCode } = await phyllo(['sbom', layout]);
    assert.equal(exitCode, 0);
    await assertValidSbom(stdout, 'cyclonedx');
    assert.deepEqual(pathsIn(stdout), paths);
    assert.match(stderr, /are not known/);
    assert.equal((await phyllo(['sbom', layout, '--quiet'])).stderr, '');
  });

  it('takes store paths in short, several of them, and not together with an image', async () => {
    const [, hash = ''] = /\/([^/]{32})-[^/]*$/.exec(closure.top) ?? [];
    const whole = await phylloChecked(['sbom', closure.top, ...store]);
    assert.equal(await phylloChecked(['sbom', hash, ...store]), whole);
    const several = await phylloChecked(['sbom', closure.large, closure.top, ...store]);
    assert.equal(await phylloChecked(['sbom', closure.top, closure.large, ...store]), several);
    for (const args of [[layout, closure.top], [layout, layout], []])
      assert.equal((await phyllo(['sbom', ...args, ...store])).exitCode, 2);
  });

  it('of paths that a store does not have is an error, and no file', async () => {
    const file = join(directory, 'none');
    const missing = `/nix/store/${'0'.repeat(32)}-missing`;
    const { stderr, exitCode } = await phyllo(['sbom', missing, ...store, '--output', file]);
    assert.equal(exitCode, 1);
    assert.match(stderr, /STORE_PATH_UNKNOWN/);
    assert.ok(!existsSync(file));
  });
});

/** Ascending, each once. */
function pathsIn(text: string): readonly string[] {
  const found = text.matchAll(/"(?:value|packageFileName)": "(\/nix\/store\/[^"]*)"/g);
  return [...new Set([...found].map(([, path]) => path as string))].sort();
}

function hashesIn(text: string): number {
  return [...text.matchAll(/"(?:content|checksumValue)": "[0-9a-f]{64}"/g)].length;
}
