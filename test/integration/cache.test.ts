/** What is known of layers saves their work, and never puts a wrong byte anywhere. */
import assert from 'node:assert/strict';
import { appendFileSync, chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, it } from 'node:test';
import { buildTestClosure, describeTestImage } from './support/closure.ts';
import type { TestClosure } from './support/closure.ts';
import { realPath } from './support/nix.ts';
import { phyllo, phylloChecked, phylloCommand } from './support/phyllo.ts';
import { runChecked } from './support/process.ts';
import { describeWith } from './support/requirements.ts';
import { sha256OfFile } from './support/skopeo.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';

const directory = temporaryDirectory();

interface Built {
  readonly made: number;
  readonly imageID: string;
  readonly layers: readonly { readonly digest: string }[];
}

describeWith(['nix'], 'the digest cache', () => {
  let closure: TestClosure;
  let description: string;

  before(async () => {
    closure = await buildTestClosure(directory);
    description = describeTestImage(directory, closure.top);
  });

  /** A cache of its own, and arguments to build from this store. */
  function newPlace(name: string): { place: string; env: Record<string, string>; cacheFile: string } {
    const place = join(directory, name);
    mkdirSync(place);
    const env = { XDG_CACHE_HOME: join(place, 'cache') };
    return { place, env, cacheFile: join(place, 'cache/phyllo/digests.sqlite') };
  }

  interface BuildOptions {
    readonly env: Record<string, string>;
    readonly store?: string;
    readonly options?: readonly string[];
  }

  function buildArgs(to: string, { store = closure.store.root, options = [] }: Omit<BuildOptions, 'env'>) {
    return ['build', description, '--store', store, '--json', '--quiet', '--to', to, ...options];
  }

  async function build(to: string, options: BuildOptions): Promise<Built> {
    return JSON.parse(await phylloChecked(buildArgs(to, options), { env: options.env })) as Built;
  }

  it('makes an unchanged rebuild into a layout make nothing', async () => {
    const { place, env } = newPlace('unchanged');
    const to = `oci:${join(place, 'layout')}`;
    const first = await build(to, { env });
    assert.equal(first.made, first.layers.length);
    assert.deepEqual(await build(to, { env }), { ...first, made: 0 });
  });

  it('spares a layout that lacks one blob the others', async () => {
    const { place, env } = newPlace('one-blob');
    const to = `oci:${join(place, 'layout')}`;
    const first = await build(to, { env });
    const [digest = ''] = first.layers.map((layer) => layer.digest.replace('sha256:', ''));
    await runChecked('rm', [join(place, 'layout/blobs/sha256', digest)]);
    assert.deepEqual(await build(to, { env }), { ...first, made: 1 });
  });

  it('gives the same archive warm, cold and not at all', async () => {
    const { place, env } = newPlace('same');
    const digests: string[] = [];
    for (const [i, options] of [[], [], ['--no-cache'], ['--jobs', '1']].entries()) {
      const archive = join(place, `${i}.tar`);
      await build(`docker-archive:${archive}`, { env, options });
      digests.push(await sha256OfFile(archive));
    }
    assert.deepEqual(new Set(digests).size, 1);
  });

  it('is not even made with --no-cache', async () => {
    const { place, env, cacheFile } = newPlace('none');
    await build(`oci:${join(place, 'layout')}`, { env, options: ['--no-cache'] });
    assert.ok(!existsSync(cacheFile));
  });

  for (const [name, damage] of [
    ['text', (file: string) => writeFileSync(file, 'no database\n'.repeat(2000))],
    ['truncated', (file: string) => writeFileSync(file, readFileSync(file).subarray(0, 5000))],
    ['empty', (file: string) => writeFileSync(file, '')],
  ] as const)
    it(`that is damaged (${name}) fails no build`, async () => {
      const { place, env, cacheFile } = newPlace(`damaged-${name}`);
      const to = `oci:${join(place, 'layout')}`;
      const first = await build(to, { env });
      damage(cacheFile);
      const { imageID, layers } = await build(to, { env });
      assert.deepEqual({ imageID, layers }, { imageID: first.imageID, layers: first.layers });
      // Damage may show only in use; then the build after it begins a new cache.
      await build(to, { env });
      assert.equal((await build(to, { env })).made, 0);
    });

  for (const compression of ['none', 'gzip'])
    it(`notices a store path that was changed in place (then --compress ${compression})`, async () => {
      const { place, env } = newPlace(`changed-${compression}`);
      const store = join(place, 'store');
      await runChecked('cp', ['--archive', closure.store.root, store]);
      await build(`oci:${join(place, 'layout')}`, { env, store });
      const file = realPath({ ...closure.store, root: store }, `${closure.top}/share/references`);
      chmodSync(file, 0o644);
      appendFileSync(file, 'one more line\n');
      chmodSync(file, 0o444);

      for (const [to, result] of [
        [`docker-archive:${join(place, 'new.tar')}`, join(place, 'new.tar')],
        [`oci:${join(place, 'new')}:tag`, undefined],
      ] as const) {
        const args = buildArgs(to, { store, options: ['--compress', compression] });
        const { exitCode, stderr } = await phyllo(args, { env });
        assert.equal(exitCode, 1, stderr);
        assert.match(stderr, /^error: .*\[LAYER_MISMATCH\]$/m);
        if (result !== undefined) assert.ok(!existsSync(result));
      }
      const index = JSON.parse(readFileSync(join(place, 'new/index.json'), 'utf8')) as { manifests: unknown };
      assert.deepEqual(index.manifests, []);
      await build(`oci:${join(place, 'new')}`, { env, store, options: ['--no-cache'] });
    });

  it('tells its place and size, and forgets', async () => {
    const { place, env, cacheFile } = newPlace('commands');
    assert.equal(await phylloChecked(['cache', 'path'], { env }), `${cacheFile}\n`);
    const { layers } = await build(`oci:${join(place, 'layout')}`, { env });
    const entries = async (): Promise<number> =>
      (JSON.parse(await phylloChecked(['cache', 'stat', '--json'], { env })) as { entries: number }).entries;
    assert.equal(await entries(), layers.length);
    await phylloChecked(['cache', 'prune', '--days', '1'], { env });
    assert.equal(await entries(), layers.length);
    await phylloChecked(['cache', 'prune', '--days', '0'], { env });
    assert.equal(await entries(), 0);
  });

  describeWith(['strace'], 'and the store', () => {
    it('opens no file of an unchanged store path', async () => {
      const { place, env } = newPlace('strace');
      const to = `oci:${join(place, 'layout')}`;
      await build(to, { env });
      const trace = join(place, 'trace');
      const strace = ['-f', '-qq', '-e', 'trace=open,openat', '-o', trace];
      await runChecked('strace', [...strace, ...phylloCommand(buildArgs(to, {}))], { env });
      const opened = readFileSync(trace, 'utf8').split('\n');
      const ofStore = opened.filter((line) => line.includes(`"${closure.store.root}/nix/store/`));
      assert.ok(opened.some((line) => line.includes('/nix/var/nix/db')));
      assert.deepEqual(ofStore, []);
    });
  });
});
