/** Images that other programs made: read, copied on, merged and flattened, and compared with what those programs say. */
import assert from 'node:assert/strict';
import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { startDocker } from './support/docker.ts';
import type { Docker } from './support/docker.ts';
import { listFiles } from './support/file-listing.ts';
import { HELLO, phyllo, phylloChecked } from './support/phyllo.ts';
import { podmanIn } from './support/podman.ts';
import { runChecked } from './support/process.ts';
import { describeWith } from './support/requirements.ts';
import { skopeoCopy } from './support/skopeo.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';

const directory = temporaryDirectory();
let count = 0;

/** The path of a file that is not there yet. */
function newFile(): string {
  count += 1;
  return join(directory, `${count}.tar`);
}

function newDirectory(): string {
  count += 1;
  const path = join(directory, String(count));
  mkdirSync(path);
  return path;
}

interface Inspected {
  readonly names: readonly string[];
  readonly imageID: string;
  readonly layers: readonly {
    readonly diffID: string;
    readonly digest: string;
    readonly mediaType: string;
  }[];
}

async function inspect(image: string): Promise<Inspected> {
  return JSON.parse(await phylloChecked(['inspect', '--json', image])) as Inspected;
}

async function copy(source: string, destination: string): Promise<void> {
  await phylloChecked(['copy', '--quiet', source, destination]);
}

/** The image's flat root file system, unpacked. */
async function flatten(image: string): Promise<string> {
  const [file, unpacked] = [newFile(), newDirectory()];
  await copy(image, `rootfs:${file}`);
  await unpack(file, unpacked);
  return unpacked;
}

async function unpack(tar: string, into: string): Promise<void> {
  await runChecked('tar', ['-C', into, '--numeric-owner', '-xpf', tar]);
}

/** The tree that images are made of, and then what a second layer makes of it. */
function makeTree(root: string): void {
  for (const path of ['data/gone', 'data/opaque/sub', 'data/kept'])
    mkdirSync(join(root, path), { recursive: true });
  for (const path of ['file', 'gone/x', 'opaque/x', 'opaque/sub/y', 'kept/x', 'replaced', 'linked'])
    writeFileSync(join(root, 'data', path), `first ${path}\n`);
  linkSync(join(root, 'data/linked'), join(root, 'data/kept/link'));
  symlinkSync('kept', join(root, 'data/symlink'));
  chmodSync(join(root, 'data/kept'), 0o2750);
}

function changeTree(root: string): void {
  rmSync(join(root, 'data/gone'), { recursive: true });
  rmSync(join(root, 'data/opaque'), { recursive: true });
  mkdirSync(join(root, 'data/opaque'));
  writeFileSync(join(root, 'data/opaque/new'), 'second\n');
  writeFileSync(join(root, 'data/file'), 'second\n');
  rmSync(join(root, 'data/replaced'));
  mkdirSync(join(root, 'data/replaced'));
  rmSync(join(root, 'data/symlink'));
  symlinkSync('file', join(root, 'data/symlink'));
}

function assertSameTrees(actual: string, expected: string): void {
  assert.ok(listFiles(expected).length > 8);
  assert.deepEqual(listFiles(actual), listFiles(expected));
}

describeWith(['docker', 'umoci', 'skopeo'], 'an image whose upper layer removes files, made by umoci', () => {
  let layout: string;
  let bundle: string;

  before(async () => {
    layout = join(newDirectory(), 'layout');
    bundle = join(newDirectory(), 'bundle');
    const image = `${layout}:two`;
    await runChecked('umoci', ['init', '--layout', layout]);
    await runChecked('umoci', ['new', '--image', image]);
    for (const change of [makeTree, changeTree]) {
      rmSync(bundle, { recursive: true, force: true });
      await runChecked('umoci', ['unpack', '--image', image, bundle]);
      change(join(bundle, 'rootfs'));
      await runChecked('umoci', ['repack', '--image', image, bundle]);
    }
  });

  it('is flattened to the tree that umoci had', async () => {
    const rootfs = await flatten(`oci:${layout}:two`);
    assertSameTrees(join(rootfs, 'data'), join(bundle, 'rootfs/data'));
    const [file, link] = ['linked', 'kept/link'].map((name) => lstatSync(join(rootfs, 'data', name)).ino);
    assert.equal(link, file, 'a hard link is one file');
  });

  it('gives the same bytes again, and from a copy', async () => {
    const [first, second, copied] = [newFile(), newFile(), newFile()];
    await copy(`oci:${layout}`, `rootfs:${first}`);
    await copy(`oci:${layout}`, `oci-archive:${copied}`);
    await copy(copied, `rootfs:${second}`);
    await runChecked('cmp', [first, second]);
  });

  it('is loaded by Docker from a copy, compressed layers and all, and is what Docker exports', async () => {
    const docker = await startDocker(newDirectory());
    try {
      const archive = newFile();
      await copy(`oci:${layout}:two`, `docker-archive:${archive}:umoci:2`);
      assert.deepEqual(await docker.load(archive), ['umoci:2']);
      await docker.command(['create', '--name', 'two', 'umoci:2', '/none']);
      const [exported, unpacked, saved] = [newFile(), newDirectory(), newFile()];
      await docker.command(['export', '--output', exported, 'two']);
      await unpack(exported, unpacked);
      await docker.command(['save', '--output', saved, 'umoci:2']);
      for (const source of [`oci:${layout}:two`, `docker-archive:${saved}`])
        assertSameTrees(join(await flatten(source), 'data'), join(unpacked, 'data'));
    } finally {
      await docker.stop();
    }
  });
});

describeWith(['docker', 'skopeo', 'podman'], 'archives of docker, podman and skopeo', () => {
  let docker: Docker;
  let built: string;
  let saved: string;
  const podman = podmanIn(directory);

  before(async () => {
    docker = await startDocker(directory);
    built = newFile();
    saved = newFile();
    await phylloChecked(['build', join(HELLO, 'image.json'), '--to', `docker-archive:${built}`, '--quiet']);
    await docker.load(built);
    await docker.command(['tag', 'hello:1.0', 'registry.example/team/hello:2']);
    await docker.command(['save', '--output', saved, 'hello:1.0', 'registry.example/team/hello:2']);
  });
  after(() => docker.stop());

  it('docker save: the same image, by each of its names', async () => {
    const expected = await inspect(built);
    for (const name of ['hello:1.0', 'hello:1.0', 'registry.example/team/hello:2']) {
      const found = await inspect(`docker-archive:${saved}:${name}`);
      assert.equal(found.imageID, expected.imageID);
      assert.deepEqual(found.layers, expected.layers);
      assert.ok(found.names.includes(name));
    }
  });

  it('an archive compressed with gzip, xz, bzip2 or zstd', async () => {
    const expected = await inspect(saved);
    for (const program of ['gzip', 'xz', 'bzip2', 'zstd']) {
      const compressed = newFile();
      await runChecked(program, ['-c', saved], { stdoutFile: compressed });
      assert.deepEqual(await inspect(compressed), expected, program);
    }
  });

  it('a copy of what Docker saved is loaded under all its names, and runs', async () => {
    const archive = newFile();
    await copy(saved, `docker-archive:${archive}`);
    await docker.command(['image', 'rm', 'hello:1.0', 'registry.example/team/hello:2']);
    assert.deepEqual((await docker.load(archive)).toSorted(), ['hello:1.0', 'registry.example/team/hello:2']);
    assert.equal((await docker.runContainer('hello:1.0')).stdout, 'Hello from a stack of store paths!\n');
  });

  it('a copy of what was built has the same bytes, through a pipe too', async () => {
    const [archive, piped] = [newFile(), newFile()];
    await copy(`oci-archive:${built}`, `docker-archive:${archive}`);
    await runChecked('cmp', [built, archive]);
    await phylloChecked(['copy', built, '-'], { stdoutFile: piped });
    await runChecked('cmp', [built, piped]);
  });

  it('skopeo: docker archives, OCI archives and layouts with compressed layers', async () => {
    const expected = await inspect(built);
    const places = [
      `docker-archive:${newFile()}:hello:1.0`,
      `oci-archive:${newFile()}:1.0`,
      `oci:${newDirectory()}:1.0`,
    ];
    for (const place of places) {
      await skopeoCopy(`docker-archive:${saved}:hello:1.0`, place);
      const found = await inspect(place);
      assert.deepEqual(
        found.layers.map(({ diffID }) => diffID),
        expected.layers.map(({ diffID }) => diffID),
        place,
      );
      const again = newFile();
      await copy(place, `oci-archive:${again}:again`);
      await skopeoCopy(`oci-archive:${again}:again`, `oci:${newDirectory()}:x`);
      assert.equal((await inspect(again)).imageID, found.imageID);
      await docker.command(['image', 'rm', '--force', expected.imageID]);
      const archive = newFile();
      await copy(place, `docker-archive:${archive}:from-skopeo:1`);
      assert.deepEqual(await docker.load(archive), ['from-skopeo:1']);
      assert.equal(
        (await docker.runContainer('from-skopeo:1')).stdout,
        'Hello from a stack of store paths!\n',
      );
    }
  });

  it('a layout that is copied to is what skopeo reads, and shares its blobs', async () => {
    const layout = newDirectory();
    await copy(`docker-archive:${saved}:hello:1.0`, `oci:${layout}:first`);
    const blobs = readdirSync(join(layout, 'blobs/sha256'));
    await copy(`oci:${layout}:first`, `oci:${layout}:second`);
    assert.deepEqual(readdirSync(join(layout, 'blobs/sha256')), blobs);
    for (const tag of ['first', 'second']) {
      const archive = newFile();
      await skopeoCopy(`oci:${layout}:${tag}`, `docker-archive:${archive}:from-layout:1`);
      assert.equal((await inspect(archive)).imageID, (await inspect(built)).imageID);
    }
  });

  it('podman save, in both formats', async () => {
    await podman.command(['load', '--quiet', '--input', built]);
    for (const format of ['docker-archive', 'oci-archive']) {
      const archive = newFile();
      await podman.command(['save', '--quiet', '--format', format, '--output', archive, 'hello:1.0']);
      const { layers } = await inspect(`${format}:${archive}`);
      assert.deepEqual(
        layers.map(({ diffID }) => diffID),
        (await inspect(built)).layers.map(({ diffID }) => diffID),
      );
    }
  });

  it('merged images are loaded together, and what they share is there once', async () => {
    const [other, merged] = [newFile(), newFile()];
    const flags = ['--name', 'other', '--tag', '1', '--quiet'];
    await phylloChecked(['build', join(HELLO, 'image.json'), ...flags, '--to', `docker-archive:${other}`]);
    await phylloChecked(['merge', built, other, '--to', `docker-archive:${merged}`, '--quiet']);
    assert.deepEqual((await docker.load(merged)).toSorted(), ['hello:1.0', 'other:1']);
    assert.ok(statSync(merged).size < statSync(built).size * 1.5);
    await skopeoCopy(`docker-archive:${merged}:other:1`, `oci:${newDirectory()}:x`);
  });

  it('an image that is not there, or one of several: what the user sees', async () => {
    const outcome = await phyllo(['inspect', `docker-archive:${saved}:nothing:1`]);
    assert.equal(outcome.exitCode, 1);
    assert.match(outcome.stderr, /^error: .*\nhint: it has hello:1\.0/);
    assert.match(outcome.stderr, /\[IMAGE_NOT_FOUND\]/);
  });
});
