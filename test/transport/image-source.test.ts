import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { test, type TestContext } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { type ErrorCode, PhylloError } from '../../src/errors.ts';
import { openImage, parseImageSource } from '../../src/transport/image-source.ts';
import { type OpenImageOptions, readLayer, type SourceImage } from '../../src/transport/source-image.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import {
  digestOf,
  dockerFiles,
  type ImageBlobs,
  imageBlobs,
  json,
  makeTar,
  type OciDescriptor,
  ociFiles,
  tarOf,
  type TestImage,
  writeFiles,
} from './support/archives.ts';

const LAYERS = [makeTar([{ name: 'a', content: 'a' }]), makeTar([{ name: 'b', content: 'b' }])];
const ALPINE: TestImage = {
  name: 'alpine:3',
  layers: LAYERS,
  config: {
    config: { Env: ['A=1'], Healthcheck: { Interval: 30_000_000_000 } },
    history: [{ comment: 'a' }, { empty_layer: true }, { comment: 'b' }],
  },
};
const OTHER: TestImage = { name: 'docker.io/library/other:latest', layers: [LAYERS[1] as Buffer] };

interface Opened {
  readonly image: SourceImage;
  readonly layers: readonly Buffer[];
}

/** Opens an image and reads its layers. `text` has `@` where the place is. */
async function open(
  place: string,
  { text = '@', ...options }: OpenImageOptions & { readonly text?: string } = {},
): Promise<Opened> {
  const image = await openImage(text.replace('@', place), options);
  try {
    const layers: Buffer[] = [];
    for (const layer of image.layers) layers.push(await buffer(readLayer(layer)));
    return { image, layers };
  } finally {
    image.close();
  }
}

function archive(context: TestContext, files: Readonly<Record<string, Buffer>>): string {
  const file = join(temporaryDirectory(context), 'image.tar');
  writeFileSync(file, tarOf(files));
  return file;
}

function layout(context: TestContext, files: Readonly<Record<string, Buffer>>): string {
  const directory = temporaryDirectory(context);
  writeFiles(directory, files);
  return directory;
}

const named = (
  { manifest }: ImageBlobs,
  name: string,
  platform?: OciDescriptor['platform'],
): OciDescriptor => ({
  ...manifest,
  ...(platform === undefined ? {} : { platform }),
  annotations: { 'org.opencontainers.image.ref.name': name },
});

test('a docker archive: names, platform, layers, history, numbers digit by digit', async (context) => {
  const { image, layers } = await open(archive(context, dockerFiles([ALPINE])));
  assert.deepEqual(image.names, ['alpine:3']);
  assert.deepEqual(image.platform, { architecture: 'amd64', os: 'linux', variant: undefined });
  assert.deepEqual(layers, LAYERS);
  assert.deepEqual(
    image.layers.map(({ history }) => history),
    [{ comment: 'a' }, { comment: 'b' }],
  );
  assert.equal(image.history.length, 3);
  assert.equal(image.manifest, undefined);
  assert.match(JSON.stringify(image.config.document), /"Interval":30000000000/);
});

const COMPRESSIONS: Readonly<Record<string, (bytes: Buffer) => Buffer>> = {
  gzip: (bytes) => gzipSync(bytes),
  'several gzip members': (bytes) =>
    Buffer.concat([gzipSync(bytes.subarray(0, 700)), gzipSync(bytes.subarray(700))]),
  zstd: (bytes) => zstdCompressSync(bytes),
  xz: (bytes) => execFileSync('xz', ['-c'], { input: bytes }),
  bzip2: (bytes) => execFileSync('bzip2', ['-c'], { input: bytes }),
};

for (const [name, compress] of Object.entries(COMPRESSIONS)) {
  test(`an archive compressed with ${name}`, async (context) => {
    const file = join(temporaryDirectory(context), 'image');
    const compressed = compress(tarOf(dockerFiles([ALPINE])));
    writeFileSync(file, compressed);
    assert.deepEqual((await open(file)).layers, LAYERS);
    writeFileSync(file, compressed.subarray(0, compressed.length - 20));
    await assert.rejects(open(file), { code: 'ARCHIVE_INVALID' });
  });
}

test('compressed layers keep their bytes, and the digest is theirs', async (context) => {
  const layers = LAYERS.map((layer, i) => (i === 0 ? gzipSync(layer) : zstdCompressSync(layer)));
  const image: TestImage = { ...ALPINE, layers, diffIDs: LAYERS.map(digestOf) };
  const opened = await open(archive(context, dockerFiles([image])));
  assert.deepEqual(opened.layers, layers);
  assert.deepEqual(
    opened.image.layers.map(({ descriptor, diffID }) => [
      descriptor.mediaType.slice(-5),
      descriptor.digest,
      diffID,
    ]),
    [
      ['+gzip', digestOf(layers[0] as Buffer), digestOf(LAYERS[0] as Buffer)],
      ['+zstd', digestOf(layers[1] as Buffer), digestOf(LAYERS[1] as Buffer)],
    ],
  );
});

test('the same layer twice stays twice, also as a link', async (context) => {
  const [layer] = LAYERS as [Buffer];
  const blobs = imageBlobs({ name: '', layers: [layer, layer, layer] });
  const [path] = blobs.layers as [string];
  const manifest = json([
    { Config: blobs.config, RepoTags: null, Layers: [path, 'x/layer.tar', 'y/layer.tar'] },
  ]);
  const members = Object.entries({ ...blobs.files, 'manifest.json': manifest }).map(([name, content]) => ({
    name,
    content,
  }));
  const file = join(temporaryDirectory(context), 'image.tar');
  writeFileSync(
    file,
    makeTar([
      ...members,
      { name: 'x/layer.tar', linkName: `../${path}` },
      { name: 'y/layer.tar', linkName: 'x/layer.tar', type: '1' },
    ]),
  );
  assert.deepEqual((await open(file)).layers, [layer, layer, layer]);
});

test('several images in a docker archive', async (context) => {
  const file = archive(context, dockerFiles([ALPINE, OTHER, { ...ALPINE, name: '' }]));
  const count = async (text: string): Promise<number> => (await open(file, { text })).layers.length;
  assert.equal(await count('docker-archive:@:alpine:3'), 2);
  assert.equal(await count('docker-archive:@:docker.io/library/alpine:3'), 2);
  assert.equal(await count('docker-archive:@:other'), 1);
  assert.equal((await openImage(`docker-archive:${file}:@1`)).layers.length, 1);
  await assert.rejects(open(file), (error: PhylloError) => {
    assert.equal(error.code, 'IMAGE_AMBIGUOUS');
    assert.match(error.message, /alpine:3, docker\.io\/library\/other:latest, @2/);
    return true;
  });
  await assert.rejects(open(file, { text: 'docker-archive:@:nothing' }), { code: 'IMAGE_NOT_FOUND' });
});

test('a layout, as a directory and as an archive', async (context) => {
  const blobs = imageBlobs(ALPINE);
  const files = ociFiles(blobs.files, [named(blobs, '3')]);
  const [directory, file] = [layout(context, files), archive(context, files)];
  for (const [place, texts] of [
    [directory, ['@', 'oci:@', 'oci:@:3']],
    [file, ['@', 'oci-archive:@', 'oci-archive:@:3']],
  ] as const) {
    for (const text of texts) {
      const { image, layers } = await open(place, { text });
      assert.deepEqual(layers, LAYERS);
      assert.deepEqual(image.names, ['3']);
      assert.equal(image.manifest?.blob.digest, blobs.manifest.digest);
    }
    await assert.rejects(open(place, { text: `${texts[1]}:4` }), { code: 'IMAGE_NOT_FOUND' });
  }
});

test('several images, and one image for several platforms', async (context) => {
  const [amd64, arm64] = ['amd64', 'arm64'].map((architecture, i) =>
    imageBlobs({ name: '', layers: [LAYERS[i] as Buffer], config: { architecture } }),
  ) as [ImageBlobs, ImageBlobs];
  const platforms = [
    named(amd64, 'x', { architecture: 'amd64', os: 'linux' }),
    named(arm64, 'x', { architecture: 'arm64', os: 'linux' }),
    { ...amd64.manifest, digest: digestOf(json({})), platform: { architecture: 'unknown', os: 'unknown' } },
  ];
  const index = json({ manifests: platforms });
  const digest = digestOf(index);
  const entry = { mediaType: 'application/vnd.oci.image.index.v1+json', digest, size: index.length };
  const files = { ...amd64.files, ...arm64.files, [digest.replace('sha256:', 'blobs/sha256/')]: index };
  const place = layout(
    context,
    ociFiles(files, [{ ...entry, annotations: { 'org.opencontainers.image.ref.name': 'x' } }]),
  );
  await assert.rejects(open(place), { code: 'IMAGE_AMBIGUOUS' });
  for (const architecture of ['amd64', 'arm64']) {
    const { image } = await open(place, { platform: { architecture } });
    assert.equal(image.platform.architecture, architecture);
    const { image: preferred } = await open(place, { preferred: { architecture, os: 'linux' } });
    assert.equal(preferred.platform.architecture, architecture);
    assert.deepEqual(preferred.names, ['x']);
  }
  await assert.rejects(open(place, { platform: { architecture: 's390x' } }), { code: 'IMAGE_NOT_FOUND' });

  const apart = layout(context, ociFiles(files, [named(amd64, 'one'), named(arm64, 'two')]));
  await assert.rejects(open(apart, { preferred: { architecture: 'amd64' } }), { code: 'IMAGE_AMBIGUOUS' });
  assert.deepEqual((await open(apart, { text: 'oci:@:two' })).image.names, ['two']);
  await assert.rejects(open(apart, { text: 'oci:@:two', platform: { architecture: 'amd64' } }), {
    code: 'IMAGE_NOT_FOUND',
  });
});

test('a combined archive is opened either way', async (context) => {
  const blobs = imageBlobs(ALPINE);
  const file = archive(context, { ...ociFiles(blobs.files, [named(blobs, '3')]), ...dockerFiles([ALPINE]) });
  for (const text of ['docker-archive:@:alpine:3', 'oci-archive:@:3', '@'])
    assert.deepEqual((await open(file, { text })).layers, LAYERS);
});

interface Bad {
  readonly files: Readonly<Record<string, Buffer | undefined>>;
  readonly code?: ErrorCode;
}

const ALPINE_BLOBS = imageBlobs(ALPINE);
const LAYER_PATH = ALPINE_BLOBS.layers[0] as string;
const GOOD_OCI = ociFiles(ALPINE_BLOBS.files, [named(ALPINE_BLOBS, '3')]);
const GOOD_DOCKER = dockerFiles([ALPINE]);
const LOOP = json({ manifests: [] });

const BAD_DOCKER: Readonly<Record<string, Bad>> = {
  'no manifest.json': { files: { 'manifest.json': undefined } },
  'no manifest.json but repositories': { files: { 'manifest.json': undefined, repositories: json({}) } },
  'a manifest.json that is not JSON': { files: { 'manifest.json': Buffer.from('[{') } },
  'a manifest.json that is nested too deeply': { files: { 'manifest.json': Buffer.from('['.repeat(1e6)) } },
  'a manifest.json of another kind': { files: { 'manifest.json': json({ Config: 'x' }) } },
  'no image': { files: { 'manifest.json': json([]) }, code: 'IMAGE_NOT_FOUND' },
  'no config': { files: { [ALPINE_BLOBS.config]: undefined } },
  'a config that is a list': { files: { [ALPINE_BLOBS.config]: json([]) } },
  'a layer that is missing': { files: { [LAYER_PATH]: undefined } },
  'more layers than diff IDs': {
    files: {
      'manifest.json': json([{ Config: ALPINE_BLOBS.config, Layers: [LAYER_PATH, LAYER_PATH, LAYER_PATH] }]),
    },
  },
  'fewer layers than diff IDs': { files: { 'manifest.json': json([{ Config: ALPINE_BLOBS.config }]) } },
  'a layer with other bytes': { files: { [LAYER_PATH]: makeTar([{ name: 'other' }]) } },
  'a diff ID that is none': {
    files: {
      [ALPINE_BLOBS.config]: json({ rootfs: { diff_ids: ['sha256:../../etc/passwd', 'sha512:00'] } }),
    },
  },
  'a layer compressed with xz': { files: { [LAYER_PATH]: Buffer.from('\xfd7zXZ\0 and more', 'latin1') } },
};

const BAD_OCI: Readonly<Record<string, Bad>> = {
  'no index.json': { files: { 'index.json': undefined } },
  'an index.json that is not JSON': { files: { 'index.json': Buffer.from('') } },
  'an empty index': { files: { 'index.json': json({ manifests: [] }) }, code: 'IMAGE_NOT_FOUND' },
  'a manifest that is missing': {
    files: { [ALPINE_BLOBS.manifest.digest.replace(':', '/').replace(/^/, 'blobs/')]: undefined },
  },
  'a config with other bytes': { files: { [ALPINE_BLOBS.config]: json({}) } },
  'a layer that is too short': { files: { [LAYER_PATH]: Buffer.from('short') } },
  'a layer with other bytes': { files: { [LAYER_PATH]: makeTar([{ name: 'other' }]) } },
  'a size that is no number': {
    files: { 'index.json': json({ manifests: [{ ...ALPINE_BLOBS.manifest, size: -1 }] }) },
  },
  'an index that is not what its digest says': {
    files: {
      [digestOf(LOOP).replace('sha256:', 'blobs/sha256/')]: json({ manifests: [] }),
      'index.json': json({
        manifests: [
          { mediaType: 'application/vnd.oci.image.index.v1+json', digest: digestOf(LOOP), size: 7 },
        ],
      }),
    },
  },
};

for (const [transport, good, cases] of [
  ['docker-archive', GOOD_DOCKER, BAD_DOCKER],
  ['oci-archive', GOOD_OCI, BAD_OCI],
  ['oci', GOOD_OCI, BAD_OCI],
] as const) {
  for (const [name, { files, code = 'ARCHIVE_INVALID' }] of Object.entries(cases)) {
    test(`refused: ${transport}: ${name}`, async (context) => {
      const all = Object.entries({ ...good, ...files }).filter(([, bytes]) => bytes !== undefined);
      const bad = Object.fromEntries(all) as Record<string, Buffer>;
      const place = transport === 'oci' ? layout(context, bad) : archive(context, bad);
      await assert.rejects(open(place, { text: `${transport}:@` }), { code });
    });
  }
}

for (const [name, links] of Object.entries({
  'in a circle': { a: 'b', b: 'a' },
  'out of the archive': { a: '../../../etc/passwd' },
  'to nothing': { a: 'nothing' },
})) {
  test(`refused: links ${name}`, async (context) => {
    const file = join(temporaryDirectory(context), 'image.tar');
    const manifest = json([{ Config: 'a', RepoTags: null, Layers: [] }]);
    const members = Object.entries(links).map(([link, linkName]) => ({ name: link, linkName }));
    writeFileSync(file, makeTar([{ name: 'manifest.json', content: manifest }, ...members]));
    await assert.rejects(open(file), { code: 'ARCHIVE_INVALID' });
  });
}

test('an archive of nothing but members has an end', async (context) => {
  const file = join(temporaryDirectory(context), 'image.tar');
  const pax = new Map([['comment', 'x'.repeat(1_000_000)]]);
  writeFileSync(file, makeTar(Array.from({ length: 80 }, (_, i) => ({ name: String(i), pax }))));
  await assert.rejects(open(file), { code: 'ARCHIVE_INVALID' });
});

test('what is not there, or no source', async (context) => {
  const directory = temporaryDirectory(context);
  await assert.rejects(open(join(directory, 'nothing')), { code: 'FILE_UNREADABLE' });
  await assert.rejects(open(directory), { code: 'ARCHIVE_INVALID' });
  for (const text of ['', 'docker-archive:', 'oci::x', 'docker:alpine', 'docker://', 'unknown:x'])
    assert.throws(() => parseImageSource(text), { code: 'SOURCE_INVALID' });
});

test('whatever an archive holds, it is read or refused', async (context) => {
  const file = join(temporaryDirectory(context), 'image.tar');
  const good = tarOf({ ...GOOD_OCI, ...GOOD_DOCKER });
  const change = fc.record({ at: fc.nat(good.length - 1), byte: fc.nat(255) });
  await fc.assert(
    fc.asyncProperty(
      fc.array(change, { maxLength: 5 }),
      fc.constantFrom('docker-archive:@', 'oci-archive:@', '@'),
      async (changes, text) => {
        const bad = Buffer.from(good);
        for (const { at, byte } of changes) bad[at] = byte;
        writeFileSync(file, bad);
        await open(file, { text }).catch((error: unknown) => {
          assert.ok(error instanceof PhylloError, String(error));
          assert.match(error.code, /^(ARCHIVE_INVALID|IMAGE_NOT_FOUND|IMAGE_AMBIGUOUS)$/);
        });
      },
    ),
    { numRuns: 300 },
  );
});
