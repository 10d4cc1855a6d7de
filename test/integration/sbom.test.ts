/** Bills of materials of images and store paths that real Nix made. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { SBOM_MEDIA_TYPES, type SbomFormat } from '../../src/sbom/encode-bill.ts';
import { assertValidSbom } from '../support/sbom-schemas.ts';
import { buildTestClosure, describeTestImage } from './support/closure.ts';
import type { TestClosure } from './support/closure.ts';
import { phyllo, phylloChecked, phylloPlan, plannedPaths } from './support/phyllo.ts';
import { once } from './support/once.ts';
import { runChecked } from './support/process.ts';
import { type Registry, startRegistry } from './support/registry.ts';
import { describeWith } from './support/requirements.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';

const directory = temporaryDirectory();
const FORMATS: readonly SbomFormat[] = ['cyclonedx', 'spdx'];

const sharedClosure = once(() => buildTestClosure(directory));

describeWith(['nix'], 'a bill of materials', () => {
  let closure: TestClosure;
  let description: string;
  let store: readonly string[];
  let layout: string;
  let paths: readonly string[];

  before(async () => {
    closure = await sharedClosure();
    description = describeTestImage(directory, closure.top);
    store = ['--store', closure.store.root];
    layout = `oci:${join(directory, 'layout')}:1`;
    for (const [i, format] of [...FORMATS, ...FORMATS].entries()) {
      const options = [
        '--sbom',
        format,
        '--sbom-file',
        join(directory, `built-${i}`),
        '--jobs',
        `${1 + (i % 2)}`,
      ];
      await phylloChecked(['build', description, ...store, ...options, '--quiet', '--to', layout]);
    }
    paths = plannedPaths(await phylloPlan([description, ...store]));
  });

  for (const format of FORMATS) {
    it(`in ${format} lists every store path of an image, with its hash where there is a store`, async () => {
      const text = await phylloChecked(['sbom', layout, ...store, '--format', format]);
      await assertValidSbom(text, format);
      assert.deepEqual(pathsIn(text), paths);
      assert.equal(hashesIn(text), paths.length + 1);
    });

    it(`in ${format} is the same from two builds, and of the image that they built`, async () => {
      const [first, second] = [0, FORMATS.length].map((run) => {
        const file = join(directory, `built-${run + FORMATS.indexOf(format)}`);
        return readFileSync(file, 'utf8');
      });
      assert.equal(first, await phylloChecked(['sbom', layout, ...store, '--format', format]));
      assert.equal(second, first);
    });

    it(`in ${format} is written to a file whole, and the same each time, whatever the locale and the time zone`, async () => {
      const texts: string[] = [];
      for (const env of [
        { LC_ALL: 'C', TZ: 'UTC' },
        { LC_ALL: 'lt_LT.UTF-8', TZ: 'Asia/Tokyo' },
      ]) {
        const file = join(directory, `${format}-${env.LC_ALL}`);
        const args = ['sbom', closure.top, ...store, '--format', format, '--output', file];
        assert.equal(await phylloChecked(args, { env }), '');
        texts.push(readFileSync(file, 'utf8'));
      }
      await assertValidSbom(texts[0] as string, format);
      assert.equal(texts[1], texts[0]);
    });
  }

  it('of an image without a store says what is not known', async () => {
    const { stdout, stderr, exitCode } = await phyllo(['sbom', layout]);
    assert.equal(exitCode, 0);
    await assertValidSbom(stdout, 'cyclonedx');
    assert.deepEqual(pathsIn(stdout), paths);
    assert.match(stderr, /are not known/);
    assert.equal((await phyllo(['sbom', layout, '--quiet'])).stderr, '');
  });

  it('takes store paths in short, several of them, and not together with an image', async () => {
    const [, hash = ''] = /\/([^/]{32})-[^/]*$/.exec(closure.top) ?? [];
    const whole = await phylloChecked(['sbom', closure.top, ...store]);
    assert.equal(await phylloChecked(['sbom', hash, ...store]), whole);
    const several = await phylloChecked(['sbom', closure.large, closure.top, ...store]);
    assert.equal(await phylloChecked(['sbom', closure.top, closure.large, ...store]), several);
    for (const args of [[layout, closure.top], [layout, layout], []])
      assert.equal((await phyllo(['sbom', ...args, ...store])).exitCode, 2);
  });

  it('of paths that a store does not have is an error, and no file', async () => {
    const file = join(directory, 'none');
    const missing = `/nix/store/${'0'.repeat(32)}-missing`;
    const { stderr, exitCode } = await phyllo(['sbom', missing, ...store, '--output', file]);
    assert.equal(exitCode, 1);
    assert.match(stderr, /STORE_PATH_UNKNOWN/);
    assert.ok(!existsSync(file));
  });
});

type Annotations = Readonly<Record<string, string>>;

interface ImageManifest {
  readonly annotations?: Annotations;
  readonly layers: readonly { readonly annotations?: Annotations }[];
}

interface ArtifactManifest {
  readonly artifactType: string;
  readonly config: { readonly mediaType: string };
  readonly layers: readonly { readonly mediaType: string; readonly digest: string }[];
  readonly subject: { readonly mediaType: string; readonly digest: string; readonly size: number };
}

describeWith(['nix', 'registry', 'skopeo'], 'a bill of materials at a registry', () => {
  let registry: Registry;
  let args: readonly string[];

  before(async () => {
    registry = await startRegistry(directory);
    const closure = await sharedClosure();
    args = ['build', describeTestImage(directory, closure.top), '--store', closure.store.root];
  });
  after(() => registry.stop());

  for (const format of FORMATS)
    it(`in ${format} is attached to the image, and once however often it is built`, async () => {
      const repository = `${registry.host}/bills/${format}`;
      const file = join(directory, `pushed-${format}`);
      const options = ['--sbom', format, '--sbom-file', file, '--quiet', '--to', `docker://${repository}:1`];
      const digest = (await phylloChecked([...args, ...options])).trim();
      await phylloChecked([...args, ...options]);

      const listed = JSON.parse(
        await skopeoRaw(`${repository}:sha256-${digest.slice('sha256:'.length)}`),
      ) as { readonly manifests: readonly { readonly digest: string; readonly artifactType: string }[] };
      assert.equal(listed.manifests.length, 1);
      const [referrer] = listed.manifests;
      assert.equal(referrer?.artifactType, SBOM_MEDIA_TYPES[format]);

      const manifest = JSON.parse(await skopeoRaw(`${repository}@${referrer.digest}`)) as ArtifactManifest;
      assert.equal(manifest.artifactType, SBOM_MEDIA_TYPES[format]);
      assert.equal(manifest.config.mediaType, 'application/vnd.oci.empty.v1+json');
      const image = await skopeoRaw(`${repository}:1`);
      assert.deepEqual(manifest.subject, {
        mediaType: 'application/vnd.oci.image.manifest.v1+json',
        digest,
        size: Buffer.byteLength(image),
      });

      const [layer] = manifest.layers;
      assert.equal(layer?.mediaType, SBOM_MEDIA_TYPES[format]);
      const response = await fetch(`http://${registry.host}/v2/bills/${format}/blobs/${layer.digest}`);
      const text = await response.text();
      await assertValidSbom(text, format);
      assert.equal(text, readFileSync(file, 'utf8'));
      assert.ok(text.includes(digest.slice('sha256:'.length)));
    });

  it('names the base, as the manifest does, and has the store paths in its layers', async () => {
    const base = `${registry.host}/bills/base:1`;
    const name = `${registry.host}/bills/upper:1`;
    const closure = await sharedClosure();
    const baseDigest = (await phylloChecked([...args, '--quiet', '--to', `docker://${base}`])).trim();
    const file = join(directory, 'upper');
    const options = [
      '--from-image',
      `docker://${base}`,
      '--about',
      '{"title":"upper"}',
      '--layering',
      'popularity',
    ];
    const sbom = ['--sbom', 'cyclonedx', '--sbom-file', file, '--quiet'];
    await phylloChecked([...args, ...options, ...sbom, '--to', `docker://${name}`]);

    const manifest = JSON.parse(await skopeoRaw(name)) as ImageManifest;
    assert.deepEqual(manifest.annotations, {
      'org.opencontainers.image.base.digest': baseDigest,
      'org.opencontainers.image.base.name': base,
      'org.opencontainers.image.title': 'upper',
    });
    const told = manifest.layers.map(({ annotations }) => annotations?.['dev.phyllo.store-paths'] ?? '');
    const { layers } = JSON.parse(await phylloChecked(['inspect', '--json', `docker://${name}`])) as {
      readonly layers: readonly { readonly storePaths: readonly string[] }[];
    };
    assert.deepEqual(
      told,
      layers.map(({ storePaths }) => storePaths.join(' ')),
    );

    const text = readFileSync(file, 'utf8');
    await assertValidSbom(text, 'cyclonedx');
    assert.ok(text.includes(`"base:${baseDigest}"`));
    assert.equal(await phylloChecked(['sbom', `docker://${name}`, '--store', closure.store.root]), text);
  });

  it('needs a place, and a format', async () => {
    const archive = `docker-archive:${join(directory, 'image.tar')}`;
    for (const options of [
      ['--sbom', 'spdx'],
      ['--sbom-file', join(directory, 'x')],
      ['--sbom', 'none'],
    ])
      assert.equal((await phyllo([...args, '--to', archive, ...options])).exitCode, 2);
    assert.ok(!existsSync(join(directory, 'image.tar')));
  });
});

/** A manifest or index as the registry has it. */
async function skopeoRaw(name: string): Promise<string> {
  return await runChecked('skopeo', ['inspect', '--raw', '--tls-verify=false', `docker://${name}`]);
}

/** Ascending, each once. */
function pathsIn(text: string): readonly string[] {
  const found = text.matchAll(/"(?:value|packageFileName)": "(\/nix\/store\/[^"]*)"/g);
  return [...new Set([...found].map(([, path]) => path as string))].sort();
}

function hashesIn(text: string): number {
  return [...text.matchAll(/"(?:content|checksumValue)": "[0-9a-f]{64}"/g)].length;
}
