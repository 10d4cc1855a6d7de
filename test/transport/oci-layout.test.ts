import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Digest, digestHex } from '../../src/digest.ts';
import { describeImage, type Image, type ImageDocuments } from '../../src/image/image.ts';
import { LayoutTarget } from '../../src/transport/oci-layout.ts';
import { temporaryDirectory } from '../support/temporary.ts';

const IMAGE: Image = {
  platform: { os: 'linux', architecture: 'amd64', variant: undefined },
  created: '1970-01-01T00:00:01Z',
  config: {},
  annotations: {},
  baseHistory: [],
  layers: [],
};
const MODULES = ['transport/oci-layout', 'image/image'].map(
  (name) => new URL(`../../src/${name}.ts`, import.meta.url).href,
);

interface Index {
  readonly manifests: readonly {
    readonly digest: Digest;
    readonly annotations?: Readonly<Record<string, string>>;
  }[];
  readonly [field: string]: unknown;
}

async function write(directory: string, tag: string, image = IMAGE): Promise<ImageDocuments> {
  const target = await LayoutTarget.create(directory, { ...image, names: [{ name: 'image', tag }] });
  const documents = describeImage(image, []);
  await target.commit(documents);
  await target.discard();
  return documents;
}

function indexOf(directory: string): Index {
  return JSON.parse(readFileSync(join(directory, 'index.json'), 'utf8')) as Index;
}

function tagsOf(directory: string): readonly (string | undefined)[] {
  return indexOf(directory).manifests.map(
    ({ annotations }) => annotations?.['org.opencontainers.image.ref.name'],
  );
}

test('a new layout is whole before anything is written to it', async (context) => {
  const directory = join(temporaryDirectory(context), 'new', 'layout');
  await LayoutTarget.create(directory, { ...IMAGE, names: [{ name: 'image', tag: '1' }] });
  assert.deepEqual(indexOf(directory).manifests, []);
  assert.deepEqual(JSON.parse(readFileSync(join(directory, 'oci-layout'), 'utf8')), {
    imageLayoutVersion: '1.0.0',
  });
});

test('a directory of something else stays as it is', async (context) => {
  const directory = temporaryDirectory(context);
  writeFileSync(join(directory, 'notes.txt'), 'mine');
  await assert.rejects(write(directory, '1'), { code: 'LAYOUT_INVALID' });
  assert.deepEqual(readdirSync(directory), ['notes.txt']);
});

test('a layout that was being made when its writer was killed is finished', async (context) => {
  const directory = temporaryDirectory(context);
  mkdirSync(join(directory, 'blobs'));
  writeFileSync(join(directory, '.index.json.0123456789ab.tmp'), '');
  await write(directory, '1');
  assert.deepEqual(tagsOf(directory), ['1']);
});

test('temporary files go a day after their last change, and no others', async (context) => {
  const directory = temporaryDirectory(context);
  await write(directory, '1');
  const blobs = join(directory, 'blobs/sha256');
  const [stale = '', fresh = '', foreign = ''] = [
    '.layer-3.0123456789ab.tmp',
    '.layer-4.0123456789ab.tmp',
    'other.tmp',
  ].map((name) => join(blobs, name));
  for (const file of [stale, fresh, foreign]) writeFileSync(file, 'half');
  const twoDaysAgo = new Date(Date.now() - 2 * 86_400_000);
  for (const file of [stale, foreign]) utimesSync(file, twoDaysAgo, twoDaysAgo);
  await write(directory, '2');
  assert.deepEqual([stale, fresh, foreign].map(existsSync), [false, true, true]);
});

test('nothing is written for an image that was given up', async (context) => {
  const directory = temporaryDirectory(context);
  const target = await LayoutTarget.create(directory, { ...IMAGE, names: [] });
  await target.discard();
  await assert.rejects(target.open(0));
  assert.deepEqual(readdirSync(join(directory, 'blobs/sha256')), []);
});

test('images share a layout, and a tag goes to who asks last', async (context) => {
  const directory = temporaryDirectory(context);
  await write(directory, '1');
  await write(directory, '2');
  const { manifest } = await write(directory, '1', { ...IMAGE, created: '2000-01-01T00:00:00Z' });
  assert.deepEqual(tagsOf(directory), ['2', '1']);
  assert.equal(indexOf(directory).manifests[1]?.digest, manifest.digest);
});

test("other programs' fields and entries stay", async (context) => {
  const directory = temporaryDirectory(context);
  await write(directory, '1');
  const foreign = { mediaType: 'text/plain', digest: `sha256:${'0'.repeat(64)}`, size: 1, theirs: [1] };
  const annotations = { theirs: 'yes' };
  const index = { ...indexOf(directory), annotations, manifests: [foreign, ...indexOf(directory).manifests] };
  writeFileSync(join(directory, 'index.json'), JSON.stringify(index));
  await write(directory, '1');
  assert.deepEqual(indexOf(directory), index);
});

test('the index is replaced, never written to, and blobs that are there are not written again', async (context) => {
  const directory = temporaryDirectory(context);
  const { config, manifest } = await write(directory, '1');
  const blobs = [config, manifest].map(({ digest }) => join(directory, 'blobs/sha256', digestHex(digest)));
  const before = [...blobs, join(directory, 'index.json')].map((file) => statSync(file).ino);
  await write(directory, '2');
  const after = [...blobs, join(directory, 'index.json')].map((file) => statSync(file).ino);
  assert.deepEqual(after.slice(0, 2), before.slice(0, 2));
  assert.notEqual(after[2], before[2]);
});

test('a damaged document is written again', async (context) => {
  const directory = temporaryDirectory(context);
  const { config } = await write(directory, '1');
  const file = join(directory, 'blobs/sha256', digestHex(config.digest));
  writeFileSync(file, config.bytes.subarray(0, -1));
  await write(directory, '1');
  assert.ok(readFileSync(file).equals(config.bytes));
});

test('a blob of another size counts as missing', async (context) => {
  const directory = temporaryDirectory(context);
  const { config } = await write(directory, '1');
  const target = await LayoutTarget.create(directory, { ...IMAGE, names: [{ name: 'image', tag: '1' }] });
  const layer = { diffID: config.digest, digest: config.digest, tarSize: 1, mediaType: '' };
  assert.equal(await target.has({ ...layer, size: config.bytes.length }), true);
  assert.equal(await target.has({ ...layer, size: config.bytes.length + 1 }), false);
});

test('a layer that is discarded leaves nothing', async (context) => {
  const directory = temporaryDirectory(context);
  const target = await LayoutTarget.create(directory, { ...IMAGE, names: [{ name: 'image', tag: '1' }] });
  await target.open(0);
  await target.open(1);
  await target.discard();
  await target.discard();
  assert.deepEqual(readdirSync(join(directory, 'blobs/sha256')), []);
});

for (const [file, text] of [
  ['oci-layout', '{}'],
  ['index.json', ''],
  ['index.json', '{"manifests":'],
  ['index.json', 'null'],
  ['index.json', '[]'],
  ['index.json', '{"manifests":{}}'],
  ['index.json', '{"manifests":[null]}'],
] as const)
  test(`a layout whose ${file} holds ${JSON.stringify(text)} is left as it is`, async (context) => {
    const directory = temporaryDirectory(context);
    await write(directory, '1');
    writeFileSync(join(directory, file), text);
    await assert.rejects(write(directory, '2'), { code: 'LAYOUT_INVALID' });
    assert.equal(readFileSync(join(directory, file), 'utf8'), text);
  });

test('where no directory can be nothing is written', async (context) => {
  const directory = temporaryDirectory(context);
  writeFileSync(join(directory, 'file'), '');
  await assert.rejects(write(join(directory, 'file'), '1'), { code: 'DESTINATION_UNWRITABLE' });
  mkdirSync(join(directory, 'layout', '.phyllo.lock'), { recursive: true });
  await assert.rejects(write(join(directory, 'layout'), '1'), { code: 'DESTINATION_UNWRITABLE' });
  assert.ok(!existsSync(join(directory, 'layout', 'index.json')));
});

const WRITER = `
  const [{ LayoutTarget }, { describeImage }] = await Promise.all([import(process.argv[1]), import(process.argv[2])]);
  const image = JSON.parse(process.argv[4]);
  for (let i = 0; i < 5; i += 1) {
    const names = [{ name: 'image', tag: process.argv[5] + i }];
    const target = await LayoutTarget.create(process.argv[3], { ...image, names });
    await target.commit(describeImage(image, []), []);
  }
`;

test("processes that write at once keep each other's tags", async (context) => {
  const directory = join(temporaryDirectory(context), 'layout');
  const names = ['a', 'b', 'c', 'd'];
  const endings = names.map(async (name) => {
    const args = [...MODULES, directory, JSON.stringify(IMAGE), name];
    const child = spawn(process.execPath, ['--input-type=module', '-e', WRITER, ...args], {
      stdio: 'inherit',
    });
    return (await once(child, 'close')) as unknown[];
  });
  for (const [status] of await Promise.all(endings)) assert.equal(status, 0);
  const expected = names.flatMap((name) => [0, 1, 2, 3, 4].map((i) => `${name}${i}`));
  assert.deepEqual(tagsOf(directory).toSorted(), expected);
});
