/** OCI layouts that several writers share, compressed layers, and builds that are killed or run out of disk. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { buildTestClosure, describeTestImage } from './support/closure.ts';
import type { TestClosure } from './support/closure.ts';
import { startDocker } from './support/docker.ts';
import type { Docker } from './support/docker.ts';
import { type FileListing, listFiles } from './support/file-listing.ts';
import { killBuilds } from './support/kill-builds.ts';
import { phylloChecked, phylloCommand } from './support/phyllo.ts';
import { podmanIn } from './support/podman.ts';
import { run } from './support/process.ts';
import { describeWith } from './support/requirements.ts';
import { readThroughSkopeo, sha256OfFile } from './support/skopeo.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';
import { unpackWithUmoci } from './support/umoci.ts';

const directory = temporaryDirectory();
const env = { XDG_CACHE_HOME: join(directory, 'cache') };

describeWith(['nix', 'skopeo', 'umoci'], 'a layout', () => {
  let closure: TestClosure;
  let description: string;
  let args: readonly string[];
  let plain: FileListing;

  before(async () => {
    closure = await buildTestClosure(directory);
    description = describeTestImage(directory, closure.top);
    args = ['build', description, '--store', closure.store.root, '--quiet'];
    plain = await unpacked(`oci:${await built('plain', [])}:1`, 'plain');
  });

  async function built(name: string, options: readonly string[]): Promise<string> {
    const layout = join(directory, name);
    await phylloChecked([...args, ...options, '--to', `oci:${layout}`], { env });
    return layout;
  }

  async function unpacked(source: string, name: string): Promise<FileListing> {
    const place = join(directory, `unpacked-${name}`);
    mkdirSync(place);
    return listFiles(await unpackWithUmoci(source, place));
  }

  it('takes images from several processes at once, and every one is there', async () => {
    const layout = join(directory, 'shared');
    const own = { XDG_CACHE_HOME: join(directory, 'shared-cache') };
    const tags = ['same', 'same', 'gzip', 'zstd', 'other'];
    const compress: Record<string, string> = { gzip: 'gzip:1', zstd: 'zstd:1' };
    await Promise.all(
      tags.map(async (tag) => {
        const options = [
          '--compress',
          compress[tag] ?? 'none',
          ...(tag === 'other' ? ['--max-layers', '3'] : []),
        ];
        await phylloChecked([...args, ...options, '--to', `oci:${layout}:${tag}`], { env: own });
      }),
    );
    for (const tag of new Set(tags)) {
      const { config, layerDigests, manifest } = await readThroughSkopeo(
        `oci:${layout}:${tag}`,
        join(directory, `dir-${tag}`),
      );
      assert.equal(config.rootfs.diff_ids.length, layerDigests.length, tag);
      assert.deepEqual(
        layerDigests,
        manifest.layers.map((layer) => layer.digest),
        tag,
      );
      // Debian's umoci does not know zstd.
      if (tag !== 'zstd') assert.deepEqual(await unpacked(`oci:${layout}:${tag}`, tag), plain, tag);
    }
    assertBlobsSound(layout);
  });

  for (const compression of ['gzip:1', 'zstd:1'])
    it(`of ${compression} layers is the same for any workers, as is the archive`, async () => {
      const digests = new Set<string>();
      const manifests = new Set<string>();
      for (const jobs of ['1', '4']) {
        const name = `${compression.replace(':', '-')}-${jobs}`;
        const options = ['--compress', compression, '--jobs', jobs, '--no-cache'];
        const layout = await built(name, options);
        manifests.add(readFileSync(join(layout, 'index.json'), 'utf8'));
        const archive = join(directory, `${name}.tar`);
        await phylloChecked([...args, ...options, '--to', `oci-archive:${archive}`]);
        digests.add(await sha256OfFile(archive));
        const piped = join(directory, `${name}-stdout.tar`);
        await phylloChecked([...args, ...options, '--to', '-'], { stdoutFile: piped });
        digests.add(await sha256OfFile(piped));
      }
      assert.equal(manifests.size, 1);
      assert.equal(digests.size, 1);
      const archive = join(directory, `${compression.replace(':', '-')}-1.tar`);
      const copy = join(directory, `copy-${compression.replace(':', '-')}`);
      const { config, manifest } = await readThroughSkopeo(`oci-archive:${archive}`, copy);
      const decode = compression === 'gzip:1' ? gunzipSync : zstdDecompressSync;
      const tars = manifest.layers.map(({ digest }) =>
        decode(readFileSync(join(copy, digest.replace('sha256:', '')))),
      );
      assert.deepEqual(
        tars.map((tar) => `sha256:${sha256(tar)}`),
        config.rootfs.diff_ids,
      );
    });

  it('stays valid when builds are killed at any moment, and the next build succeeds', async () => {
    const options = { args: [...args, '--compress', 'gzip:1'], directory: join(directory, 'killed') };
    const { killed } = await killBuilds({ ...options, iterations: 10, seed: 1 });
    assert.ok(killed > 0);
  });

  describeWith(['mounts'], 'on a full disk', () => {
    for (const compression of ['none', 'gzip:1', 'zstd'])
      it(`says so and keeps what it has (${compression})`, async () => {
        const place = join(directory, `full-${compression.slice(0, 4)}`);
        mkdirSync(place);
        const hello = ['build', join(import.meta.dirname, '../../examples/hello/image.json'), '--quiet'];
        const small = phylloCommand([...hello, '--to', `oci:${place}/layout:hello`]);
        const large = phylloCommand([
          ...args,
          '--compress',
          compression,
          '--to',
          `oci:${place}/layout:large`,
        ]);
        const script = `
          mount -t tmpfs -o size=2m none "$1"; place=$1
          shift; small=$1; shift; "$\{@:1:small}"; shift "$small"
          free=$(df --output=avail -k "$place" | tail -1)
          head -c "$(( (free - 128) * 1024 ))" /dev/zero > "$place/others"
          code=0; "$@" || code=$?
          skopeo inspect "oci:$place/layout:hello" > /dev/null
          find "$place" -name '*.tmp'
          exit $code`;
        const outcome = await run(
          'unshare',
          ['--mount', 'bash', '-euc', script, 'bash', place, String(small.length), ...small, ...large],
          { env: { XDG_CACHE_HOME: join(place, 'cache') } },
        );
        assert.equal(outcome.exitCode, 1, outcome.stderr);
        assert.match(outcome.stderr, /^error: .*\[DISK_FULL\]$/m);
        assert.equal(outcome.stdout, '');
      });
  });

  describeWith(['podman'], 'as a compressed archive in podman', () => {
    for (const compression of ['gzip:1', 'zstd:1'])
      it(`is loaded (${compression})`, async () => {
        const place = join(directory, `podman-${compression.slice(0, 4)}`);
        mkdirSync(place);
        const archive = join(place, 'image.tar');
        await phylloChecked([...args, '--compress', compression, '--to', `docker-archive:${archive}`], {
          env,
        });
        assert.match(await podmanIn(place).command(['load', '--quiet', '--input', archive]), /test:1/);
      });
  });

  describeWith(['docker'], 'as a compressed archive in Docker', () => {
    let docker: Docker;

    before(async () => {
      docker = await startDocker(directory);
    });
    after(() => docker.stop());

    it('is loaded and runs', async () => {
      const archive = join(directory, 'docker.tar');
      await phylloChecked([...args, '--compress', 'gzip:1', '--to', `docker-archive:${archive}`], { env });
      assert.deepEqual(await docker.load(archive), ['test:1']);
      const { exitCode, stderr } = await docker.runContainer('test:1');
      assert.equal(exitCode, 0, stderr);
    });
  });
});

/** Every blob is what its name says. */
function assertBlobsSound(layout: string): void {
  const blobs = join(layout, 'blobs/sha256');
  for (const name of readdirSync(blobs)) assert.equal(sha256(readFileSync(join(blobs, name))), name);
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
