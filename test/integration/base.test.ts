/** Images built on bases that other programs made: what is below, what is inherited, and that they run. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { dockerFiles, makeTar, tarOf } from '../transport/support/archives.ts';
import { startDocker } from './support/docker.ts';
import type { Docker } from './support/docker.ts';
import { HELLO, phyllo, phylloChecked, phylloPlan } from './support/phyllo.ts';
import { runChecked } from './support/process.ts';
import { describeWith } from './support/requirements.ts';
import { skopeoCopy } from './support/skopeo.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';

const directory = temporaryDirectory();
const DESCRIPTION = join(HELLO, 'image.json');
const GREETING = 'Hello from a stack of store paths!\n';
/** Store paths of the example, one layer each, and the customisation layer. */
const OWN_LAYERS = 6;
/** In the base's upper layer: bytes to find in an archive, and to damage. */
const UPPER_TEXT = 'the upper layer of the base\n';

let count = 0;

/** The path of something that is not there yet. */
function newPath(extension = ''): string {
  count += 1;
  return join(directory, `${count}${extension}`);
}

interface Inspected {
  readonly imageID: string;
  readonly config: { readonly [field: string]: unknown };
  readonly layers: readonly { readonly diffID: string }[];
}

async function diffIDsOf(image: string): Promise<readonly string[]> {
  const { layers } = JSON.parse(await phylloChecked(['inspect', '--json', image])) as Inspected;
  return layers.map(({ diffID }) => diffID);
}

/** The example on a base, as an archive. */
async function buildOn(base: string, flags: readonly string[] = []): Promise<string> {
  const archive = newPath('.tar');
  const options = ['--from-image', base, '--quiet', ...flags];
  await phylloChecked(['build', DESCRIPTION, ...options, '--to', `docker-archive:${archive}:on-base:1`]);
  return archive;
}

describeWith(['docker', 'skopeo'], 'a base of two layers, imported and committed with Docker', () => {
  let docker: Docker;
  let saved: string;
  let baseDiffIDs: readonly string[];

  before(async () => {
    docker = await startDocker(directory);
    const [root, tar, upper] = [newPath(), newPath('.tar'), newPath()];
    mkdirSync(join(root, 'etc'), { recursive: true });
    writeFileSync(join(root, 'etc/lower'), 'the lower layer of the base\n');
    await runChecked('tar', ['-C', root, '-cf', tar, '.']);
    const changes = ['ENV PATH=/usr/bin A=base B=base', 'USER 0:0', 'WORKDIR /etc', 'CMD ["base"]'];
    const labels = 'LABEL base=1 org.opencontainers.image.title=base';
    const flags = [...changes, labels].flatMap((change) => ['--change', change]);
    await docker.command(['import', ...flags, tar, 'lower:1']);
    const container = (await docker.command(['create', 'lower:1'])).trim();
    writeFileSync(upper, UPPER_TEXT);
    await docker.command(['cp', upper, `${container}:/etc/upper`]);
    await docker.command(['commit', container, 'base:1']);
    saved = newPath('.tar');
    await docker.command(['save', '--output', saved, 'base:1']);
    baseDiffIDs = await diffIDsOf(saved);
    assert.equal(baseDiffIDs.length, 2);
  });
  after(() => docker.stop());

  /** What Docker says of the image once it is loaded. */
  async function load(archive: string): Promise<{ readonly [field: string]: unknown }> {
    assert.deepEqual(await docker.load(archive), ['on-base:1']);
    const [image] = JSON.parse(await docker.command(['image', 'inspect', 'on-base:1'])) as [
      { readonly Config: { readonly [field: string]: unknown } },
    ];
    return image.Config;
  }

  async function assertRuns(archive: string): Promise<void> {
    await load(archive);
    assert.equal((await docker.runContainer('on-base:1')).stdout, GREETING);
    const container = (await docker.command(['create', 'on-base:1'])).trim();
    const file = newPath();
    await docker.command(['cp', `${container}:/etc/upper`, file]);
    assert.equal(readFileSync(file, 'utf8'), UPPER_TEXT);
    await docker.command(['rm', container]);
    await docker.command(['image', 'rm', 'on-base:1']);
  }

  it('as an archive of docker save: its layers are below, and the image runs', async () => {
    const archive = await buildOn(saved);
    const diffIDs = await diffIDsOf(archive);
    assert.deepEqual(diffIDs.slice(0, 2), baseDiffIDs);
    assert.equal(diffIDs.length, 2 + OWN_LAYERS);
    await assertRuns(archive);
  });

  for (const program of ['gzip', 'xz', 'zstd', 'bzip2'])
    it(`as an archive compressed with ${program}: the same image`, async () => {
      const compressed = newPath(`.tar.${program}`);
      await runChecked(program, ['-c', saved], { stdoutFile: compressed });
      await runChecked('cmp', [await buildOn(compressed), await buildOn(saved)]);
    });

  it('as an OCI layout and archive of skopeo, whose layers are compressed', async () => {
    const places = [`oci:${newPath()}:x`, `oci-archive:${newPath('.tar')}:x`];
    for (const place of places) {
      await skopeoCopy(`docker-archive:${saved}:base:1`, place);
      const archive = await buildOn(place);
      assert.deepEqual((await diffIDsOf(archive)).slice(0, 2), baseDiffIDs);
      await assertRuns(archive);
      const layout = `oci:${newPath()}:y`;
      await skopeoCopy(`oci-archive:${archive}:1`, layout);
    }
  });

  it("through nixpkgs' archive: the same layers, and it runs", async () => {
    const archive = await buildOn(saved, ['--format', 'dockertools']);
    assert.deepEqual(await diffIDsOf(archive), await diffIDsOf(await buildOn(saved)));
    await assertRuns(archive);
    const again = await buildOn(archive, ['--tag', '2']);
    assert.equal((await diffIDsOf(again)).length, 2 + 2 * OWN_LAYERS);
    await assertRuns(again);
  });

  it('variables: the base first, an own value in its place, others behind', async () => {
    const { Env } = await load(await buildOn(saved));
    assert.deepEqual(Env, [
      'PATH=/bin',
      'A=base',
      'B=base',
      'HELLO_MANUAL=/nix/store/w9x7n812cl3d7bybl666ww8ih94miazf-manual.txt',
    ]);
  });

  it('other fields are inherited only when they are asked for', async () => {
    const alone = await load(await buildOn(saved));
    assert.equal(alone['User'], '');
    assert.equal(alone['WorkingDir'], '/');
    const inherited = await load(await buildOn(saved, ['--inherit', 'User', 'Labels', 'WorkingDir', 'Cmd']));
    assert.equal(inherited['User'], '0:0');
    assert.equal(inherited['WorkingDir'], '/', 'the own one wins');
    assert.deepEqual(inherited['Cmd'], alone['Cmd'], 'the own one wins');
    assert.deepEqual(inherited['Labels'], {
      base: '1',
      'org.opencontainers.image.title': 'hello',
      'org.opencontainers.image.version': '1.0',
    });
  });

  it('maxLayers counts the base', async () => {
    for (const maxLayers of [4, 5, 8]) {
      const archive = await buildOn(saved, ['--max-layers', String(maxLayers)]);
      assert.equal((await diffIDsOf(archive)).length, maxLayers);
      await assertRuns(archive);
    }
    const [archive, options] = [newPath('.tar'), ['--from-image', saved, '--max-layers', '3']];
    const outcome = await phyllo(['build', DESCRIPTION, ...options, '--to', `docker-archive:${archive}`]);
    assert.equal(outcome.exitCode, 1);
    assert.match(outcome.stderr, /\[BUDGET_TOO_SMALL\]/);
    assert.ok(!existsSync(archive));
  });

  it("the plan shows the base's layers", async () => {
    const { layers } = await phylloPlan([DESCRIPTION, '--from-image', saved]);
    assert.equal(layers.filter(({ kind }) => kind === 'base').length, 2);
    assert.equal(layers.length, 2 + OWN_LAYERS);
    const table = await phylloChecked(['plan', DESCRIPTION, '--from-image', saved]);
    assert.equal(table.match(/layer of the base/g)?.length, 2, table);
  });

  it('a damaged layer is found before anything is delivered', async () => {
    const damaged = newPath('.tar');
    const bytes = readFileSync(saved);
    const at = bytes.indexOf(UPPER_TEXT);
    assert.ok(at > 0);
    bytes[at] = 'T'.charCodeAt(0);
    writeFileSync(damaged, bytes);
    const [archive, layout] = [newPath('.tar'), newPath()];
    for (const to of [`docker-archive:${archive}`, `oci:${layout}`])
      for (const format of to.startsWith('oci') ? ['phyllo'] : ['phyllo', 'dockertools']) {
        const options = ['--from-image', damaged, '--no-cache', '--format', format, '--to', to];
        const outcome = await phyllo(['build', DESCRIPTION, ...options]);
        assert.equal(outcome.exitCode, 1, outcome.stderr);
        assert.match(outcome.stderr, /\[ARCHIVE_INVALID\]/);
      }
    assert.ok(!existsSync(archive));
    const { manifests } = JSON.parse(readFileSync(join(layout, 'index.json'), 'utf8')) as {
      readonly manifests: readonly unknown[];
    };
    assert.deepEqual(manifests, []);
    assert.deepEqual(
      readdirSync(directory).filter((name) => name.endsWith('.tmp')),
      [],
    );
  });

  it('a base that has the same layer twice keeps both', async () => {
    const [one, two] = ['one', 'two'].map((name) => makeTar([{ name, content: name }])) as [Buffer, Buffer];
    const base = newPath('.tar');
    writeFileSync(base, tarOf(dockerFiles([{ name: 'twice:1', layers: [one, two, one] }])));
    const expected = await diffIDsOf(base);
    assert.equal(expected[0], expected[2]);
    for (const format of ['phyllo', 'dockertools']) {
      const archive = await buildOn(base, ['--format', format]);
      assert.deepEqual((await diffIDsOf(archive)).slice(0, 3), expected);
      await load(archive);
      assert.equal((await docker.runContainer('on-base:1')).stdout, GREETING);
      await docker.command(['image', 'rm', 'on-base:1']);
    }
  });

  it('an image of ours as the base', async () => {
    const base = newPath('.tar');
    await phylloChecked(['build', DESCRIPTION, '--quiet', '--to', `docker-archive:${base}`]);
    const archive = await buildOn(base, ['--max-layers', '10']);
    const diffIDs = await diffIDsOf(archive);
    assert.deepEqual(diffIDs.slice(0, OWN_LAYERS), await diffIDsOf(base));
    assert.equal(diffIDs.length, 10);
    await load(archive);
    assert.equal((await docker.runContainer('on-base:1')).stdout, GREETING);
  });
});
