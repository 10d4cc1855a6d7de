/** Images for several platforms under one name, in the real registry and in layouts, read by others. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { after, before, it } from 'node:test';
import { blobOf } from '../../src/image/blob.ts';
import { type Docker, startDocker } from './support/docker.ts';
import { HELLO, phyllo, phylloChecked } from './support/phyllo.ts';
import { runChecked } from './support/process.ts';
import { type Registry, startRegistry } from './support/registry.ts';
import { describeWith } from './support/requirements.ts';
import { readThroughSkopeo } from './support/skopeo.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';

const directory = temporaryDirectory();
const description = join(HELLO, 'image.json');

interface IndexDocument {
  readonly mediaType: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly manifests: readonly {
    readonly digest: string;
    readonly platform: { readonly architecture: string; readonly os: string; readonly variant?: string };
    readonly annotations?: Readonly<Record<string, string>>;
  }[];
}

async function raw(image: string): Promise<IndexDocument> {
  return JSON.parse(
    await runChecked('skopeo', [
      'inspect',
      '--raw',
      ...(image.startsWith('oci') ? [] : ['--tls-verify=false']),
      image,
    ]),
  ) as IndexDocument;
}

describeWith(['registry', 'skopeo', 'docker'], 'image indexes', () => {
  let registry: Registry;
  let docker: Docker;
  /** One of each kind of source. */
  let sources: readonly string[];
  let seen = 0;

  before(async () => {
    registry = await startRegistry(directory);
    docker = await startDocker(directory);
    sources = [
      `docker-archive:${join(directory, 'amd64.tar')}`,
      `oci:${join(directory, 'layout')}:arm64`,
      `docker://${registry.host}/other/hello:armv7`,
    ];
    const platforms = [
      ['--architecture', 'amd64'],
      ['--architecture', 'arm64'],
      ['--architecture', 'arm', '--variant', 'v7'],
    ];
    for (const [i, to] of sources.entries())
      await phylloChecked(['build', description, ...(platforms[i] as string[]), '--to', to]);
  });
  after(async () => {
    await docker.stop();
    await registry.stop();
  });

  const asked = (): string[] => {
    const all = registry.requests();
    const fresh = all.slice(seen);
    seen = all.length;
    return fresh;
  };
  const create = async (to: string, ...args: readonly string[]): Promise<string> =>
    (await phylloChecked(['index', 'create', ...sources, '--to', to, ...args])).trim();

  it('bring images of all kinds together, mount what is there, and have annotations everywhere', async () => {
    asked();
    const to = `docker://${registry.host}/team/hello:1`;
    const notes = ['a=index', 'manifest:b=manifest', 'descriptor:c=d=e'].flatMap((text) => [
      '--annotation',
      text,
    ]);
    const digest = await create(to, ...notes);
    assert.ok(asked().some((line) => /^POST .*mount=.*from=other%2Fhello 201$/.test(line)));
    const index = await raw(to);
    assert.equal(index.mediaType, 'application/vnd.oci.image.index.v1+json');
    assert.deepEqual(index.annotations, { a: 'index' });
    assert.deepEqual(
      index.manifests.map(({ platform, annotations }) => ({ ...platform, ...annotations })),
      [
        { architecture: 'amd64', os: 'linux', c: 'd=e' },
        { architecture: 'arm64', os: 'linux', c: 'd=e' },
        { architecture: 'arm', os: 'linux', variant: 'v7', c: 'd=e' },
      ],
    );
    const manifest = await raw(`docker://${registry.host}/team/hello@${index.manifests[1]?.digest}`);
    assert.deepEqual(manifest.annotations, { b: 'manifest' });
    assert.match(await docker.command(['pull', `${registry.host}/team/hello:1`]), new RegExp(digest));
  });

  it('give each client the image for its platform', async () => {
    for (const architecture of ['amd64', 'arm64', 'arm']) {
      const target = join(directory, `copied-${architecture}`);
      const args = [
        '--insecure-policy',
        '--override-arch',
        architecture,
        ...(architecture === 'arm' ? ['--override-variant', 'v7'] : []),
      ];
      await runChecked('skopeo', [
        ...args,
        'copy',
        '--src-tls-verify=false',
        `docker://${registry.host}/team/hello:1`,
        `oci:${target}:1`,
      ]);
      const { config } = await readThroughSkopeo(`oci:${target}:1`, `${target}-dir`);
      assert.equal(config['architecture'], architecture);
      const { platform } = JSON.parse(
        await phylloChecked([
          'inspect',
          '--json',
          '--architecture',
          architecture,
          `docker://${registry.host}/team/hello:1`,
        ]),
      ) as { readonly platform: { readonly architecture: string } };
      assert.equal(platform.architecture, architecture);
    }
  });

  it('cost questions alone when nothing changed', async () => {
    const to = `docker://${registry.host}/same/hello:1`;
    await create(to);
    asked();
    const { bytesSent } = JSON.parse(await create(to, '--json')) as { readonly bytesSent: number };
    assert.equal(bytesSent, 0);
    assert.deepEqual(
      asked().filter((line) => !/^(GET|HEAD) /.test(line)),
      [],
    );
  });

  it('are one entry of a layout, which skopeo copies whole', async () => {
    const layout = join(directory, 'indexed');
    await create(`oci:${layout}:team/hello:1`);
    const { manifests } = JSON.parse(readFileSync(join(layout, 'index.json'), 'utf8')) as IndexDocument;
    assert.deepEqual(
      manifests.map(({ annotations }) => annotations?.['org.opencontainers.image.ref.name']),
      ['1'],
    );
    const to = `docker://${registry.host}/copied/hello:1`;
    await runChecked('skopeo', [
      '--insecure-policy',
      'copy',
      '--all',
      '--dest-tls-verify=false',
      `oci:${layout}:1`,
      to,
    ]);
    assert.equal((await raw(to)).manifests.length, 3);
  });

  it('have each platform once, and go to no archive', async () => {
    const [first = ''] = sources;
    const twice = await phyllo([
      'index',
      'create',
      first,
      first,
      '--to',
      `docker://${registry.host}/twice:1`,
    ]);
    assert.match(twice.stderr, /IMAGE_AMBIGUOUS/);
    const archive = await phyllo([
      'index',
      'create',
      first,
      '--to',
      `oci-archive:${join(directory, 'x.tar')}`,
    ]);
    assert.match(archive.stderr, /DESTINATION_INVALID/);
  });
});

describeWith(['registry', 'skopeo'], 'an index that is described', () => {
  let registry: Registry;

  before(async () => {
    registry = await startRegistry(directory, { name: 'registry-for-builds' });
  });
  after(() => registry.stop());

  const describeIndex = (): string => {
    const { store, ...hello } = JSON.parse(readFileSync(description, 'utf8')) as Record<string, unknown>;
    const file = join(directory, 'index-image.json');
    const from = `file://${resolve(HELLO, String(store).replace('file://', ''))}`;
    const index = [
      { architecture: 'amd64', store: from },
      {
        architecture: 'arm64',
        variant: 'v8',
        store: from,
        annotations: { for: 'arm' },
        descriptorAnnotations: { said: 'of arm' },
      },
    ];
    writeFileSync(file, JSON.stringify({ ...hello, index, indexAnnotations: { a: 'b' } }));
    return file;
  };

  it('is built in one run, the same in registries and layouts, and layers are shared', async () => {
    const file = describeIndex();
    const names = ['one', 'two'].map((name) => `docker://${registry.host}/${name}/hello:2`);
    const layout = `oci:${join(directory, 'described')}:2`;
    const printed = await phylloChecked(['build', file, '--no-cache', '--json', '--to', ...names, layout]);
    const { digest, images } = JSON.parse(printed) as {
      readonly digest: string;
      readonly images: readonly { readonly made: number; readonly layers: readonly unknown[] }[];
    };
    assert.equal(images.length, 2);
    for (const place of [...names, layout]) {
      const index = await raw(place);
      assert.deepEqual(index.annotations, { a: 'b' });
      assert.deepEqual(
        index.manifests.map(({ platform, annotations }) => ({ ...platform, ...annotations })),
        [
          { architecture: 'amd64', os: 'linux' },
          { architecture: 'arm64', os: 'linux', variant: 'v8', said: 'of arm' },
        ],
      );
    }
    const repository = names[0]?.replace(/:2$/, '') ?? '';
    const text = await runChecked('skopeo', ['inspect', '--raw', '--tls-verify=false', names[0] ?? '']);
    assert.equal(blobOf(Buffer.from(text)).digest, digest);
    const manifest = await raw(`${repository}@${(JSON.parse(text) as IndexDocument).manifests[1]?.digest}`);
    assert.deepEqual(manifest.annotations, { for: 'arm' });
  });

  it('goes to no archive, and is not planned as one image', async () => {
    const file = describeIndex();
    const archive = await phyllo(['build', file, '--to', `docker-archive:${join(directory, 'y.tar')}`]);
    assert.equal(archive.exitCode, 2);
    assert.equal((await phyllo(['plan', file])).exitCode, 2);
  });
});
