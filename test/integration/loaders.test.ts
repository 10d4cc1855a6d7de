/** One image, built from a closure that real Nix made, in every program that loads images. */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { buildTestClosure, describeTestImage } from './support/closure.ts';
import type { TestClosure } from './support/closure.ts';
import { startContainerd } from './support/containerd.ts';
import type { Containerd } from './support/containerd.ts';
import { startDocker } from './support/docker.ts';
import type { Docker } from './support/docker.ts';
import { listFiles } from './support/file-listing.ts';
import { closureOf, realPath } from './support/nix.ts';
import { once } from './support/once.ts';
import { phylloChecked } from './support/phyllo.ts';
import { podmanIn } from './support/podman.ts';
import { startRegistry } from './support/registry.ts';
import type { Registry } from './support/registry.ts';
import { describeWith } from './support/requirements.ts';
import { readThroughSkopeo, skopeoCopy } from './support/skopeo.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';
import { unpackWithUmoci } from './support/umoci.ts';

const GREETING = 'Hello from a stack of store paths!\n';

interface TestImage {
  readonly closure: TestClosure;
  readonly dockerArchive: string;
  readonly ociArchive: string;
}

const directory = temporaryDirectory();
const testImage = once(buildTestImage);

async function buildTestImage(): Promise<TestImage> {
  const closure = await buildTestClosure(directory);
  const description = describeTestImage(directory, closure.top);
  const dockerArchive = join(directory, 'docker.tar');
  const ociArchive = join(directory, 'oci.tar');
  const destinations = ['--to', `docker-archive:${dockerArchive}`, '--to', `oci-archive:${ociArchive}`];
  await phylloChecked(['build', description, '--store', closure.store.root, ...destinations]);
  return { closure, dockerArchive, ociArchive };
}

function newDirectory(name: string): string {
  const path = join(directory, name);
  mkdirSync(path);
  return path;
}

describeWith(['nix', 'docker'], 'Docker', () => {
  let docker: Docker;
  before(async () => {
    docker = await startDocker(directory);
  });
  after(() => docker.stop());

  it('loads and runs the docker archive', async () => {
    const { dockerArchive } = await testImage();
    assert.deepEqual(await docker.load(dockerArchive), ['test:1']);
    assert.equal((await docker.runContainer('test:1')).stdout, GREETING);
  });

  it('loads and runs the OCI archive, which is a docker archive too', async () => {
    const { ociArchive } = await testImage();
    await docker.command(['image', 'rm', 'test:1']);
    assert.deepEqual(await docker.load(ociArchive), ['test:1']);
    assert.equal((await docker.runContainer('test:1')).stdout, GREETING);
  });
});

describeWith(['nix', 'containerd'], 'containerd', () => {
  let containerd: Containerd;
  before(async () => {
    containerd = await startContainerd(directory);
  });
  after(() => containerd.stop());

  for (const kind of ['dockerArchive', 'ociArchive'] as const) {
    it(`imports and runs the ${kind}`, async () => {
      const { [kind]: archive } = await testImage();
      await containerd.ctr(['images', 'import', archive]);
      const [name = 'no image', ...others] = (await containerd.ctr(['images', 'list', '--quiet']))
        .trim()
        .split('\n');
      assert.match(name, /\btest:1$/);
      assert.deepEqual(others, []);
      assert.equal(await containerd.ctr(['run', '--rm', name, `run-${kind}`]), GREETING);
      await containerd.ctr(['images', 'remove', '--sync', name]);
    });
  }
});

describeWith(['nix', 'podman'], 'podman', () => {
  const podman = podmanIn(directory);

  for (const kind of ['dockerArchive', 'ociArchive'] as const) {
    it(`loads the ${kind}`, async () => {
      const { [kind]: archive } = await testImage();
      assert.match(await podman.command(['load', '--quiet', '--input', archive]), /\btest:1$/m);
      const [image] = JSON.parse(await podman.command(['image', 'inspect', 'test:1'])) as [
        { readonly Config: { readonly Cmd: readonly string[] } },
      ];
      assert.deepEqual(image.Config.Cmd, ['/bin/hello']);
      await podman.command(['image', 'rm', 'test:1']);
    });
  }
});

describeWith(['nix', 'skopeo'], 'skopeo', () => {
  it('reads the same layers from both archives, and each is what its diff ID says', async () => {
    const { dockerArchive, ociArchive } = await testImage();
    const fromDocker = await readThroughSkopeo(
      `docker-archive:${dockerArchive}`,
      newDirectory('from-docker'),
    );
    const fromOci = await readThroughSkopeo(`oci-archive:${ociArchive}`, newDirectory('from-oci'));
    assert.ok(fromDocker.layerDigests.length > 2);
    assert.deepEqual(fromDocker.layerDigests, fromDocker.config.rootfs.diff_ids);
    assert.deepEqual(fromOci.layerDigests, fromDocker.layerDigests);
    assert.deepEqual(fromOci.config, fromDocker.config);
  });
});

describeWith(['nix', 'skopeo', 'registry'], 'a registry', () => {
  let registry: Registry;
  before(async () => {
    registry = await startRegistry(directory);
  });
  after(() => registry.stop());

  it('takes the image and gives back the same config', async () => {
    const { ociArchive } = await testImage();
    const name = `docker://${registry.host}/test:1`;
    await skopeoCopy(`oci-archive:${ociArchive}`, name);
    const local = await readThroughSkopeo(`oci-archive:${ociArchive}`, newDirectory('local'));
    const pulled = await readThroughSkopeo(name, newDirectory('pulled'));
    assert.equal(pulled.manifest.config.digest, local.manifest.config.digest);
    assert.deepEqual(pulled.config, local.config);
  });
});

describeWith(['nix', 'skopeo', 'umoci'], 'umoci', () => {
  let rootfs: string;
  before(async () => {
    const { ociArchive } = await testImage();
    rootfs = await unpackWithUmoci(`oci-archive:${ociArchive}`, newDirectory('umoci'));
  });

  it("unpacks every store path with the store's names, kinds, modes, links and contents", async () => {
    const { closure } = await testImage();
    const paths = await closureOf(closure.store, [closure.top]);
    for (const path of paths)
      assert.deepEqual(listFiles(join(rootfs, path)), listFiles(realPath(closure.store, path)), path);
    const unpacked = listFiles(join(rootfs, 'nix/store')).filter((line) => /^\.\/[^/]+ /.test(line));
    assert.equal(unpacked.length, paths.length);
  });

  it('shows the contents at / as links into the store', async () => {
    const { closure } = await testImage();
    const shown = ['bin', 'share'].flatMap((name) => listFiles(join(rootfs, name)));
    assert.deepEqual(
      shown.filter((line) => !line.startsWith('. ')),
      [`./hello link ${await linkTarget(closure)}`, `./references link ${closure.top}/share/references`],
    );
  });
});

/** `bin/hello` of top is itself a link, which is copied as it is. */
async function linkTarget({ store, top }: TestClosure): Promise<string> {
  const hello = (await closureOf(store, [top])).find((path) => path.endsWith('-hello-1.0'));
  return `${hello}/bin/hello`;
}
