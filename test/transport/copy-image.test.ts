import assert from 'node:assert/strict';
import { closeSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { test, type TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import {
  type CopyDestination,
  copyImage,
  mergeImages,
  parseCopyDestination,
} from '../../src/transport/copy-image.ts';
import { readSlice } from '../../src/transport/file-slice.ts';
import { openImage } from '../../src/transport/image-source.ts';
import { storePathsOf } from '../../src/image/image-config.ts';
import { inspectImage } from '../../src/transport/inspect-image.ts';
import { readLayer, type SourceImage } from '../../src/transport/source-image.ts';
import { readTar } from '../../src/transport/tar-reader.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import {
  digestOf,
  dockerFiles,
  makeTar,
  sliceOf,
  tarOf,
  type TestImage,
  type TestMember,
} from './support/archives.ts';

const stdout = new PassThrough();

function archive(context: TestContext, images: readonly TestImage[]): string {
  const file = join(temporaryDirectory(context), 'image.tar');
  writeFileSync(file, tarOf(dockerFiles(images)));
  return file;
}

async function using<T>(source: string, use: (image: SourceImage) => Promise<T> | T): Promise<T> {
  const image = await openImage(source);
  try {
    return await use(image);
  } finally {
    image.close();
  }
}

/** Names, types and contents of the flat root file system. */
async function flatten(
  context: TestContext,
  layers: readonly (readonly TestMember[])[],
): Promise<Record<string, string>> {
  const tars = layers.map(makeTar);
  const plain = await rootfs(context, { name: '', layers: tars });
  const compressed = await rootfs(context, {
    name: '',
    layers: tars.map((tar) => gzipSync(tar)),
    diffIDs: tars.map(digestOf),
  });
  assert.ok(plain.equals(compressed), 'compressed layers give the same bytes');
  const slice = sliceOf(plain, join(temporaryDirectory(context), 'rootfs.tar'));
  const entries = [...readTar(slice)].map(({ header, content }) => {
    const { type, name, linkName, mode } = header;
    const text = readSlice(content, 0, content.size).toString();
    return [
      type === '5' ? `${name}/` : name,
      { 0: text, 1: `= ${linkName}`, 2: `-> ${linkName}`, 5: mode.toString(8) }[type] ?? type,
    ];
  });
  closeSync(slice.fd);
  return Object.fromEntries(entries) as Record<string, string>;
}

async function rootfs(context: TestContext, image: TestImage): Promise<Buffer> {
  const output = new PassThrough();
  const to = parseCopyDestination('rootfs:-');
  const [bytes] = await Promise.all([
    buffer(output),
    using(archive(context, [image]), (opened) => copyImage(opened, { to, stdout: output })).finally(() =>
      output.end(),
    ),
  ]);
  return bytes;
}

test('upper layers win, directories join, and the order is that of the bytes', async (context) => {
  const flat = await flatten(context, [
    [
      { name: './' },
      { name: './b', content: 'lower' },
      { name: './dir/', mode: 0o700 },
      { name: './dir/x', content: 'x' },
    ],
    [
      { name: 'b', content: 'upper' },
      { name: 'dir/', mode: 0o750 },
      { name: 'dir/y', linkName: '/x' },
      { name: 'A', content: 'A' },
    ],
  ]);
  assert.deepEqual(Object.entries(flat), [
    ['A', 'A'],
    ['b', 'upper'],
    ['dir/', '750'],
    ['dir/x', 'x'],
    ['dir/y', '-> /x'],
  ]);
});

test('whiteouts remove what is below, and nothing of their own layer, wherever they stand', async (context) => {
  const flat = await flatten(context, [
    [
      { name: 'a', content: '1' },
      { name: 'd/x', content: '1' },
      { name: 'd/e/y', content: '1' },
      { name: 'kept', content: '1' },
    ],
    [
      { name: 'd/x', content: '2' },
      { name: '.wh.d' },
      { name: '.wh.a' },
      { name: '.wh.nothing' },
      { name: '.wh..wh.plnk/' },
    ],
  ]);
  assert.deepEqual(flat, { 'd/': '755', 'd/x': '2', kept: '1' });
});

test('opaque directories', async (context) => {
  const flat = await flatten(context, [
    [
      { name: 'd/x', content: '1' },
      { name: 'd/e/y', content: '1' },
      { name: 'd/e/z', content: '1' },
    ],
    [{ name: 'd/e/z', content: '2' }, { name: 'd/.wh..wh..opq' }, { name: 'd/new', content: '2' }],
  ]);
  assert.deepEqual(flat, { 'd/': '755', 'd/e/': '755', 'd/e/z': '2', 'd/new': '2' });
});

test('hard links are one file, also when the first name is gone', async (context) => {
  const flat = await flatten(context, [
    [
      { name: 'b', content: 'same' },
      { name: 'a', type: '1', linkName: 'b' },
      { name: 'c', type: '1', linkName: './b' },
    ],
    [{ name: '.wh.b' }, { name: 'd', type: '1', linkName: 'c' }],
  ]);
  assert.deepEqual(flat, { a: 'same', c: '= a', d: '= a' });
});

test('kinds change from layer to layer', async (context) => {
  const flat = await flatten(context, [
    [
      { name: 'file', content: '1' },
      { name: 'dir/x', content: '1' },
      { name: 'link', linkName: 'dir' },
      { name: 'dev', type: '3', devMajor: 1 },
    ],
    [
      { name: 'file/' },
      { name: 'file/in', content: '2' },
      { name: 'dir', content: '2' },
      { name: 'link/y', content: '2' },
    ],
  ]);
  assert.deepEqual(flat, {
    dev: '3',
    dir: '2',
    'file/': '755',
    'file/in': '2',
    'link/': '755',
    'link/y': '2',
  });
});

test("a link of the member's own layer is followed, within the root", async (context) => {
  const flat = await flatten(context, [
    [
      { name: 'lib', linkName: '../../usr/lib' },
      { name: 'lib/x', content: 'x' },
      { name: 'usr/lib/y', content: 'y' },
    ],
  ]);
  assert.deepEqual(flat, {
    lib: '-> ../../usr/lib',
    'usr/': '755',
    'usr/lib/': '755',
    'usr/lib/x': 'x',
    'usr/lib/y': 'y',
  });
});

for (const [name, layer] of Object.entries<readonly TestMember[]>({
  'a name that leads out': [{ name: '../x', content: 'x' }],
  'a name that leads out on the way': [{ name: 'a/../../x', content: 'x' }],
  'a hard link to nothing': [{ name: 'a', type: '1', linkName: 'b' }],
  'a hard link to itself': [{ name: 'a', type: '1', linkName: 'a' }],
  'a hard link to a directory': [{ name: 'd/' }, { name: 'a', type: '1', linkName: 'd' }],
  'links in a circle': [{ name: 'a', linkName: 'b' }, { name: 'b', linkName: 'a' }, { name: 'a/x' }],
  'a whiteout of a directory itself': [{ name: 'd/.wh...' }],
  'an endless path': [{ name: 'a/'.repeat(100_000) }],
  'an unknown type': [{ name: 'a', type: 'Z' }],
})) {
  test(`refused: ${name}`, async (context) => {
    const image: TestImage = { name: '', layers: [makeTar(layer)] };
    await assert.rejects(rootfs(context, image), { code: 'ARCHIVE_INVALID' });
  });
}

test('a damaged layer is found, and the file does not appear', async (context) => {
  const layers = [makeTar([{ name: 'a', content: 'a' }])];
  const source = archive(context, [{ name: 'x:1', layers, diffIDs: [digestOf(Buffer.from('other'))] }]);
  for (const destination of ['docker-archive', 'oci-archive', 'rootfs']) {
    const directory = temporaryDirectory(context);
    const to = parseCopyDestination(`${destination}:${directory}/out.tar`);
    await assert.rejects(
      using(source, (image) => copyImage(image, { to, stdout })),
      { code: 'ARCHIVE_INVALID' },
    );
    assert.deepEqual(readdirSync(directory), []);
  }
});

const LAYERS = ['a', 'b', 'c'].map((name) => makeTar([{ name, content: name }])) as [Buffer, Buffer, Buffer];
const ONE: TestImage = { name: 'one:1', layers: [LAYERS[0], LAYERS[1], LAYERS[0]] };
const TWO: TestImage = { name: 'two:2', layers: [LAYERS[0], LAYERS[2]] };

test('a copy can be copied on, and stays what it is', async (context) => {
  const directory = temporaryDirectory(context);
  const copies = ['docker-archive', 'oci-archive', 'docker-archive'].map(
    (transport, i) => `${transport}:${directory}/${i}.tar`,
  );
  let source = archive(context, [ONE]);
  for (const destination of copies) {
    const to = parseCopyDestination(destination);
    await using(source, (image) => copyImage(image, { to, stdout }));
    source = destination;
  }
  const [first, ...others] = copies.map((_, i) => readFileSync(join(directory, `${i}.tar`)));
  for (const other of others) assert.ok(other.equals(first as Buffer));
  await using(source, async (image) => {
    const layers = await Promise.all(image.layers.map((layer) => buffer(readLayer(layer))));
    assert.deepEqual(layers, ONE.layers);
    assert.deepEqual(inspectImage(image).names, ['one:1']);
  });
});

test('a copy takes the name of its destination', async (context) => {
  const file = join(temporaryDirectory(context), 'out.tar');
  const to = parseCopyDestination(`docker-archive:${file}:other/name`);
  await using(archive(context, [ONE]), (image) => copyImage(image, { to, stdout }));
  await using(file, (image) => assert.deepEqual(inspectImage(image).names, ['other/name:1']));
  await using(archive(context, [{ ...ONE, name: '' }]), (image) =>
    copyImage(image, { to: parseCopyDestination(`docker-archive:${file}`), stdout }),
  );
  await using(`docker-archive:${file}`, (image) => assert.deepEqual(image.names, []));
});

test('merged images share their layers', async (context) => {
  const directory = temporaryDirectory(context);
  const file = join(directory, 'merged.tar');
  const images = await Promise.all([openImage(archive(context, [ONE])), openImage(archive(context, [TWO]))]);
  await mergeImages(images, { to: parseCopyDestination(`docker-archive:${file}`), stdout });
  const blobs =
    readFileSync(file)
      .toString('latin1')
      .match(/blobs\/sha256\/[0-9a-f]{64}\0/g) ?? [];
  assert.equal(blobs.length, 3 + 2 + 2, 'three layers, two configs, two manifests');
  for (const { name, layers } of [ONE, TWO]) {
    for (const transport of ['docker-archive', 'oci-archive'])
      await using(`${transport}:${file}:${name}`, (image) =>
        assert.equal(image.layers.length, layers.length),
      );
  }
  const twice = [images[0], images[0]] as SourceImage[];
  const to: CopyDestination = { kind: 'archive', file, reference: undefined };
  await assert.rejects(mergeImages(twice, { to, stdout }), { code: 'IMAGE_AMBIGUOUS' });
  for (const image of images) image.close();
});

test('store paths as the history has them', () => {
  assert.deepEqual(storePathsOf("store paths: ['/nix/store/a', '/nix/store/b']"), [
    '/nix/store/a',
    '/nix/store/b',
  ]);
  assert.deepEqual(storePathsOf('store paths: []'), []);
  assert.deepEqual(storePathsOf('customisation layer'), []);
});
