/** Images in a real registry as sources: what skopeo and Docker pushed, for one platform or several, whole or damaged. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { startDocker } from './support/docker.ts';
import { HELLO, phyllo, phylloChecked } from './support/phyllo.ts';
import { runChecked } from './support/process.ts';
import { type Registry, startRegistry } from './support/registry.ts';
import { describeWith } from './support/requirements.ts';
import { readThroughSkopeo, sha256OfFile, skopeoCopy } from './support/skopeo.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';

const directory = temporaryDirectory();
const DESCRIPTION = join(HELLO, 'image.json');
const LAYERS = 6;
let count = 0;

/** The path of something that is not there yet. */
function newPath(extension = ''): string {
  count += 1;
  return join(directory, `${count}${extension}`);
}

interface Inspected {
  readonly names: readonly string[];
  readonly imageID: string;
  readonly manifestDigest: string;
  readonly platform: { readonly architecture: string };
  readonly layers: readonly { readonly digest: string; readonly diffID: string }[];
}

async function inspect(image: string, flags: readonly string[] = []): Promise<Inspected> {
  return JSON.parse(await phylloChecked(['inspect', '--json', ...flags, image])) as Inspected;
}

async function build(destination: string, flags: readonly string[] = []): Promise<void> {
  await phylloChecked(['build', DESCRIPTION, '--quiet', ...flags, '--to', destination]);
}

async function fails(args: readonly string[], code: string): Promise<void> {
  const { exitCode, stderr } = await phyllo(args);
  assert.equal(exitCode, 1, stderr);
  assert.match(stderr, new RegExp(`\\[${code}\\]`));
}

describeWith(['registry', 'skopeo'], 'images in a registry', () => {
  let registry: Registry;
  let archive: string;
  let image: string;
  before(async () => {
    registry = await startRegistry(directory);
    archive = newPath('.tar');
    await build(`docker-archive:${archive}`);
    image = await push('team/hello:1');
  });
  after(() => registry.stop());

  /** What skopeo makes of the example there. */
  async function push(name: string, flags: readonly string[] = []): Promise<string> {
    const pushed = `docker://${registry.host}/${name}`;
    await copyWithSkopeo(`docker-archive:${archive}`, pushed, flags);
    return pushed;
  }

  async function copyWithSkopeo(from: string, to: string, flags: readonly string[]): Promise<void> {
    const options = ['--quiet', '--src-tls-verify=false', '--dest-tls-verify=false', ...flags];
    await runChecked('skopeo', ['--insecure-policy', 'copy', ...options, from, to]);
  }

  /** Requests for layers and configs that came while `work` was done. */
  async function blobsRead(work: () => Promise<unknown>): Promise<number> {
    const before = registry.requests().length;
    await work();
    const since = registry.requests().slice(before);
    return since.filter((request) => /^GET .*\/blobs\//.test(request)).length;
  }

  for (const format of ['v2s2', 'oci']) {
    it(`are read in the form ${format} as skopeo reads them, manifests unchanged`, async () => {
      const name = await push(`forms/${format}:1`, ['--format', format]);
      const expected = await readThroughSkopeo(name, newPath());
      const seen = await inspect(name);
      assert.equal(seen.imageID, expected.manifest.config.digest);
      assert.deepEqual(
        seen.layers.map(({ digest }) => digest),
        expected.manifest.layers.map(({ digest }) => digest),
      );
      const layout = newPath();
      await phylloChecked(['copy', '--quiet', name, `oci:${layout}`]);
      assert.equal((await inspect(`oci:${layout}`)).manifestDigest, seen.manifestDigest);
      const file = newPath('.tar');
      await phylloChecked(['copy', '--quiet', name, `docker-archive:${file}`]);
      assert.equal((await inspect(`oci-archive:${file}`)).manifestDigest, seen.manifestDigest);
      const copied = await readThroughSkopeo(`docker-archive:${file}`, newPath());
      assert.deepEqual(copied.config, expected.config);
    });
  }

  it('are inspected without reading a layer', async () => {
    assert.equal(await blobsRead(() => inspect(image)), 1);
  });

  it('are found by digest, and not by another one', async () => {
    const { manifestDigest } = await inspect(image);
    const byDigest = image.replace(/:1$/, `@${manifestDigest}`);
    assert.equal((await inspect(byDigest)).manifestDigest, manifestDigest);
    assert.deepEqual((await inspect(byDigest)).names, []);
    await fails(['inspect', image.replace(/:1$/, `@sha256:${'0'.repeat(64)}`)], 'IMAGE_NOT_FOUND');
    await fails(['inspect', `docker://${registry.host}/team/nothing`], 'IMAGE_NOT_FOUND');
  });

  it('go into archives, layouts and flat file systems, and are compared', async () => {
    const [copied, layout, flat, plain] = [newPath('.tar'), newPath(), newPath('.tar'), newPath('.tar')];
    await phylloChecked(['copy', '--quiet', image, `docker-archive:${copied}`]);
    assert.deepEqual((await inspect(copied)).names, [`${registry.host}/team/hello:1`]);
    await phylloChecked(['merge', '--quiet', image, archive, '--to', `oci-archive:${newPath('.tar')}`]);
    await phylloChecked(['copy', '--quiet', image, `oci:${layout}`]);
    assert.equal(await blobsRead(() => phylloChecked(['copy', '--quiet', image, `oci:${layout}`])), 1);
    await phylloChecked(['copy', '--quiet', image, `rootfs:${flat}`]);
    await phylloChecked(['copy', '--quiet', archive, `rootfs:${plain}`]);
    assert.equal(await sha256OfFile(flat), await sha256OfFile(plain));
    const update = JSON.parse(await phylloChecked(['diff', '--json', image, archive])) as {
      readonly pull: number;
    };
    assert.equal(update.pull, 0);
  });

  it('for several platforms are chosen by platform, nested or in a list of Docker', async () => {
    const layout = newPath();
    for (const architecture of ['amd64', 'arm64'])
      await build(`oci:${layout}:${architecture}`, ['--architecture', architecture]);
    const all = indexOf(layout);
    for (const format of [[], ['--format', 'v2s2']]) {
      const name = `docker://${registry.host}/team/several:${format.length}`;
      await copyWithSkopeo(`oci:${layout}:${all}`, name, ['--all', ...format]);
      const host = process.arch === 'arm64' ? 'arm64' : 'amd64';
      assert.equal((await inspect(name)).platform.architecture, host);
      const arm = await inspect(name, ['--architecture', 'arm64']);
      assert.equal(arm.platform.architecture, 'arm64');
      assert.equal(arm.imageID, (await inspect(`oci:${layout}:arm64`)).imageID);
      await fails(['inspect', '--architecture', 's390x', name], 'IMAGE_NOT_FOUND');
    }
  });

  it('are bases, whose layers go below unchanged; and previous images', async () => {
    const [based, layout] = [newPath('.tar'), newPath()];
    await build(`docker-archive:${based}:based:1`, ['--from-image', image]);
    const [base, built] = [await inspect(image), await inspect(based)];
    assert.deepEqual(
      built.layers.slice(0, LAYERS).map(({ digest }) => digest),
      base.layers.map(({ digest }) => digest),
    );
    assert.equal(built.layers.length, 2 * LAYERS);
    const target = ['--name', 'based', '--from-image', image];
    assert.equal(await blobsRead(() => build(`oci:${layout}`, target)), LAYERS + 1);
    assert.equal(await blobsRead(() => build(`oci:${layout}`, target)), 1);
    assert.equal(await blobsRead(() => phylloChecked(['plan', DESCRIPTION, ...target])), 1);
    await skopeoCopy(`oci:${layout}`, `dir:${newPath()}`);
    assert.equal(await blobsRead(() => build(`docker-archive:${newPath()}:x:1`, ['--previous', image])), 1);
  });

  it('that are damaged are not taken', async () => {
    const name = await push('team/damaged:1', [
      '--dest-compress-format',
      'zstd',
      '--dest-compress-level',
      '3',
    ]);
    const { layers, imageID } = await inspect(name);
    const destination = newPath('.tar');
    const blob = blobFile((layers[1] as (typeof layers)[number]).digest);
    const whole = readFileSync(blob);
    const other = Buffer.from(whole);
    other.writeUInt8(other.readUInt8(10) ^ 1, 10);
    for (const bytes of [other, whole.subarray(0, -1), Buffer.concat([whole, whole])]) {
      writeFileSync(blob, bytes);
      await fails(['copy', '--quiet', name, `docker-archive:${destination}`], 'ARCHIVE_INVALID');
      await fails(['copy', '--quiet', name, `oci:${newPath()}`], 'ARCHIVE_INVALID');
      await fails(
        ['build', DESCRIPTION, '--quiet', '--from-image', name, '--to', `docker-archive:${destination}`],
        'ARCHIVE_INVALID',
      );
    }
    assert.throws(() => statSync(destination));
    writeFileSync(blob, whole);
    writeFileSync(blobFile(imageID), '{}');
    await fails(['inspect', name], 'ARCHIVE_INVALID');
  });

  function blobFile(digest: string): string {
    const hex = digest.slice('sha256:'.length);
    return join(directory, 'registry/data/docker/registry/v2/blobs/sha256', hex.slice(0, 2), hex, 'data');
  }
});

/** An index of all images of a layout, in an index beside them. Its tag. */
function indexOf(layout: string): string {
  const file = join(layout, 'index.json');
  const index = JSON.parse(readFileSync(file, 'utf8')) as { manifests: Record<string, unknown>[] };
  const manifests = index.manifests.map(({ annotations: _, ...entry }) => entry);
  const bytes = JSON.stringify({ ...index, manifests });
  const hex = createHash('sha256').update(bytes).digest('hex');
  writeFileSync(join(layout, 'blobs/sha256', hex), bytes);
  const descriptor = {
    mediaType: 'application/vnd.oci.image.index.v1+json',
    digest: `sha256:${hex}`,
    size: bytes.length,
    annotations: { 'org.opencontainers.image.ref.name': 'all' },
  };
  writeFileSync(file, JSON.stringify({ ...index, manifests: [...index.manifests, descriptor] }));
  return 'all';
}

describeWith(['registry', 'docker'], 'an image that Docker pushed', () => {
  it('is read, and loads into Docker again', async () => {
    const docker = await startDocker(directory);
    const registry = await startRegistry(directory, { name: 'for-docker' });
    try {
      const [archive, copied] = [newPath('.tar'), newPath('.tar')];
      const name = `${registry.host}/team/hello:1`;
      await build(`docker-archive:${archive}:${name}`);
      await docker.load(archive);
      await docker.command(['push', '--quiet', name]);
      const [{ Id }] = JSON.parse(await docker.command(['image', 'inspect', name])) as [
        { readonly Id: string },
      ];
      assert.equal((await inspect(`docker://${name}`)).imageID, Id);
      await docker.command(['image', 'rm', name]);
      await phylloChecked(['copy', '--quiet', `docker://${name}`, `docker-archive:${copied}`]);
      assert.deepEqual(await docker.load(copied), [name]);
    } finally {
      await registry.stop();
      await docker.stop();
    }
  });
});
