/** Copies into OCI layouts: what is shared, what is replaced, and what stays when something goes wrong. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { test, type TestContext } from 'node:test';
import { copyImage, mergeImages, parseCopyDestination } from '../../src/transport/copy-image.ts';
import { openImage } from '../../src/transport/image-source.ts';
import { inspectImage } from '../../src/transport/inspect-image.ts';
import { readLayer, type SourceImage } from '../../src/transport/source-image.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { digestOf, dockerFiles, makeTar, tarOf, type TestImage } from './support/archives.ts';

const stdout = new PassThrough();
const LAYERS = ['a', 'b', 'c'].map((name) => makeTar([{ name, content: name }])) as [Buffer, Buffer, Buffer];
/** The first layer is there twice. */
const ONE: TestImage = { name: 'one:1', layers: [LAYERS[0], LAYERS[1], LAYERS[0]] };
const TWO: TestImage = { name: 'two:2', layers: [LAYERS[0], LAYERS[2]] };

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

async function copy(source: string, destination: string): Promise<void> {
  const to = parseCopyDestination(destination);
  await using(source, (image) => copyImage(image, { to, stdout }));
}

function blobsOf(directory: string): string[] {
  return readdirSync(join(directory, 'blobs/sha256'));
}

test('a copy has the layers, the config and the name, and what is there twice once', async (context) => {
  const directory = join(temporaryDirectory(context), 'new');
  await copy(archive(context, [ONE]), `oci:${directory}`);
  assert.equal(blobsOf(directory).length, 2 + 1 + 1);
  await using(`oci:${directory}:1`, async (image) => {
    const layers = await Promise.all(image.layers.map((layer) => buffer(readLayer(layer))));
    assert.deepEqual(layers, ONE.layers);
  });
});

test('images share blobs, and each keeps its tag', async (context) => {
  const directory = temporaryDirectory(context);
  await copy(archive(context, [ONE]), `oci:${directory}`);
  const shared = join(directory, 'blobs/sha256', digestOf(LAYERS[0]).slice('sha256:'.length));
  const { ino } = statSync(shared);
  await copy(archive(context, [TWO]), `oci:${directory}:second`);
  assert.equal(statSync(shared).ino, ino, 'it was not written again');
  assert.equal(blobsOf(directory).length, 3 + 2 + 2);
  for (const [tag, { layers }] of [['1', ONE] as const, ['second', TWO] as const])
    await using(`oci:${directory}:${tag}`, (image) => assert.equal(image.layers.length, layers.length));
});

test('a tag goes to the image that was copied last', async (context) => {
  const directory = temporaryDirectory(context);
  await copy(archive(context, [ONE]), `oci:${directory}:x`);
  await copy(archive(context, [TWO]), `oci:${directory}:x`);
  await using(`oci:${directory}`, (image) => assert.equal(image.layers.length, 2));
});

test('from one tag to another in the same layout', async (context) => {
  const directory = temporaryDirectory(context);
  await copy(archive(context, [ONE]), `oci:${directory}:x`);
  const blobs = blobsOf(directory);
  await copy(`oci:${directory}:x`, `oci:${directory}:y`);
  assert.deepEqual(blobsOf(directory), blobs);
  const digests = await Promise.all(
    ['x', 'y'].map((tag) => using(`oci:${directory}:${tag}`, (image) => image.manifest?.blob.digest)),
  );
  assert.equal(digests[0], digests[1]);
});

test('an image without a name is there once, however often it is copied', async (context) => {
  const directory = temporaryDirectory(context);
  const source = archive(context, [{ ...ONE, name: '' }]);
  await copy(source, `oci:${directory}`);
  await copy(source, `oci:${directory}`);
  await using(`oci:${directory}`, (image) => assert.deepEqual(inspectImage(image).names, []));
});

test('copies at the same time keep each other in the index', async (context) => {
  const directory = temporaryDirectory(context);
  const sources = [archive(context, [ONE]), archive(context, [TWO])];
  const tags = ['a', 'b', 'c', 'd', 'e', 'f'];
  await Promise.all(tags.map((tag, i) => copy(sources[i % 2] as string, `oci:${directory}:${tag}`)));
  const { manifests } = JSON.parse(readFileSync(join(directory, 'index.json'), 'utf8')) as {
    readonly manifests: readonly unknown[];
  };
  assert.equal(manifests.length, tags.length);
  for (const [i, tag] of tags.entries())
    await using(`oci:${directory}:${tag}`, (image) => assert.equal(image.layers.length, i % 2 === 0 ? 3 : 2));
});

test('a damaged layer is found: no blob of that name, no tag, and what was there stays', async (context) => {
  const directory = temporaryDirectory(context);
  await copy(archive(context, [TWO]), `oci:${directory}`);
  const before = [readFileSync(join(directory, 'index.json'), 'utf8'), blobsOf(directory)];
  const diffIDs = [digestOf(Buffer.from('other'))];
  const bad = archive(context, [{ name: 'bad:3', layers: [LAYERS[1]], diffIDs }]);
  await assert.rejects(copy(bad, `oci:${directory}`), { code: 'ARCHIVE_INVALID' });
  assert.deepEqual([readFileSync(join(directory, 'index.json'), 'utf8'), blobsOf(directory)], before);
});

test('several images into one layout; the same tag twice is refused', async (context) => {
  const directory = temporaryDirectory(context);
  const sources = [[ONE], [TWO], [{ ...TWO, name: 'three:1' }]].map((images) => archive(context, images));
  const images = await Promise.all(sources.map((source) => openImage(source)));
  const to = parseCopyDestination(`oci:${directory}`);
  await mergeImages(images.slice(0, 2), { to, stdout });
  for (const tag of ['1', '2']) await using(`oci:${directory}:${tag}`, () => undefined);
  await assert.rejects(mergeImages(images, { to, stdout }), { code: 'IMAGE_AMBIGUOUS' });
  for (const image of images) image.close();
});

test('a directory that holds something else is left alone', async (context) => {
  const directory = temporaryDirectory(context);
  writeFileSync(join(directory, 'oci-layout'), 'something else');
  await assert.rejects(copy(archive(context, [ONE]), `oci:${directory}`), { code: 'LAYOUT_INVALID' });
});
