/** What nixpkgs' own tests expect of its dockerTools, from nix/functions.nix, in Docker: what nix-functions.test.ts does not show. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { type Docker, startDocker } from './support/docker.ts';
import { closureOf, realPath } from './support/nix.ts';
import { type NixFunctions, prepareNixFunctions, runStream } from './support/nix-functions.ts';
import { phylloChecked } from './support/phyllo.ts';
import { run, runChecked } from './support/process.ts';
import { describeWith } from './support/requirements.ts';
import { readThroughSkopeo } from './support/skopeo.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';

const IMAGES = [
  ...(['otherUser', 'links', 'once', 'again', 'onAgain', 'onOther', 'base', 'allInOne', 'exactly'] as const),
  ...([
    'onLayout',
    'onArchive',
    'fakechroot',
    'certificates',
    'pipeline',
    'noStorePaths',
    'withoutStore',
    'conflicting',
    'foreign',
  ] as const),
];
const OTHERS = [
  'linksStream',
  'hello',
  'top',
  'alias',
  'oddities',
  'program',
  'other',
  'upper',
  'cacert',
] as const;
const GREETING = 'Hello from a stack of store paths!\n';

const directory = temporaryDirectory();

interface Inspected {
  readonly platform: Readonly<Record<string, string>>;
  readonly layers: readonly { readonly digest: string; readonly storePaths: readonly string[] }[];
}

describeWith(['nix', 'fakeroot', 'proot', 'docker', 'skopeo'], 'as with dockerTools, an image', () => {
  let functions: NixFunctions;
  let paths: Readonly<Record<(typeof IMAGES)[number] | (typeof OTHERS)[number], string>>;
  let docker: Docker;

  before(async () => {
    functions = await prepareNixFunctions(directory, { images: 'behaviours.nix' });
    paths = await functions.build([...IMAGES, ...OTHERS]);
    docker = await startDocker(directory);
  });
  after(() => docker.stop());

  const fileOf = (image: (typeof IMAGES)[number]): string => realPath(functions.store, paths[image]);

  async function inspect(image: (typeof IMAGES)[number]): Promise<Inspected> {
    return JSON.parse(await phylloChecked(['inspect', '--json', fileOf(image)])) as Inspected;
  }

  async function digestsOf(image: (typeof IMAGES)[number]): Promise<readonly string[]> {
    return (await inspect(image)).layers.map(({ digest }) => digest);
  }

  /** Loads an archive; its name. */
  async function load(archive: string): Promise<string> {
    const [name, ...others] = await docker.load(archive);
    assert.ok(name !== undefined && others.length === 0);
    return name;
  }

  /** Loads an archive and runs the image; what it prints. */
  async function runImage(archive: string): Promise<string> {
    const { exitCode, stdout, stderr } = await docker.runContainer(await load(archive));
    assert.equal(exitCode, 0, stderr);
    return stdout;
  }

  /** The files of a container, as `tar --list --verbose` prints them. */
  async function filesIn(image: string): Promise<string> {
    const container = (await docker.command(['create', image])).trim();
    const file = join(directory, 'exported.tar');
    await docker.command(['export', '--output', file, container]);
    return runChecked('tar', ['--list', '--verbose', '--numeric-owner', '--file', file]);
  }

  const hasFile = (listing: string, line: string): void =>
    assert.ok(new RegExp(`^${line.replaceAll('…', '.*')}$`, 'm').test(listing), line);

  it("starts as a user that it does not know, whose store is root's and readable", async () => {
    assert.equal(await runImage(fileOf('otherUser')), '1000\nok\n');
    const listing = await filesIn('other-user:1');
    hasFile(listing, 'drwxr-xr-x 0/0 … nix/');
    hasFile(listing, 'drwxr-xr-x 0/0 … nix/store/');
  });

  for (const way of ['archive', 'stream'] as const) {
    it(`keeps links in store paths, and a store path that is a link: ${way}`, async () => {
      const stream = join(directory, 'links.tar');
      if (way === 'stream') await runStream(functions.store, paths.linksStream, { file: stream });
      assert.equal(await runImage(way === 'stream' ? stream : fileOf('links')), GREETING);
      const listing = await filesIn('links:1');
      hasFile(listing, `l… ${paths.alias.slice(1)} -> ${paths.program}`);
      hasFile(listing, `l… ${paths.hello.slice(1)}/bin/hello -> ${paths.program}/bin/hello-program`);
      hasFile(listing, `l… ${paths.oddities.slice(1)}/links/parent -> ..`);
      hasFile(listing, `l… ${paths.oddities.slice(1)}/links/dangling -> nowhere`);
    });
  }

  it('has every layer of a base that has the same one twice, and runs', async () => {
    const [once, again, onAgain] = [
      await digestsOf('once'),
      await digestsOf('again'),
      await digestsOf('onAgain'),
    ];
    assert.deepEqual(again, [...once, ...once]);
    assert.deepEqual(onAgain.slice(0, again.length), again);
    assert.ok(onAgain.length > again.length);
    assert.equal(await runImage(fileOf('again')), GREETING);
    assert.equal(await runImage(fileOf('onAgain')), GREETING);
  });

  for (const image of ['onLayout', 'onArchive'] as const) {
    it(`runs on an OCI layout, as a directory and as an archive: ${image}`, async () => {
      const base = await digestsOf('once');
      assert.deepEqual((await digestsOf(image)).slice(0, base.length), base);
      assert.equal(await runImage(fileOf(image)), GREETING);
    });
  }

  it('shows the files of its own layers instead of the lower ones', async () => {
    assert.equal(await runImage(fileOf('onOther')), 'upper\n');
  });

  for (const [image, maxLayers] of [
    ['allInOne', 4],
    ['exactly', 6],
  ] as const) {
    it(`loses no store path on a base with exactly ${maxLayers} layers`, async () => {
      const { layers } = await inspect(image);
      assert.equal(layers.length, maxLayers);
      assert.deepEqual(
        layers.slice(0, 2).map(({ digest }) => digest),
        (await inspect('base')).layers.map(({ digest }) => digest),
      );
      const own = layers.slice(2).flatMap(({ storePaths }) => storePaths);
      assert.deepEqual(own.sort(), await closureOf(functions.store, [paths.top]));
      assert.equal(await runImage(fileOf(image)), GREETING);
    });
  }

  it('is divided by a pipeline that a derivation made', async () => {
    assert.equal((await inspect('pipeline')).layers.length, 3);
  });

  it('has what fakeRootCommands wrote at /bin, when they see the image as /', async () => {
    assert.equal(await runImage(fileOf('fakechroot')), 'made in /bin\n');
    const listing = await filesIn('fakechroot:1');
    hasFile(listing, '-rwxr-xr-x 0/0 … bin/made');
    hasFile(listing, `l… libexec/hello.sh -> ${paths.hello}/libexec/hello.sh`);
    hasFile(listing, 'drwxr-xr-x 1000/100 … home/user/');
    const storePaths = (await inspect('fakechroot')).layers.flatMap((layer) => layer.storePaths);
    assert.ok(storePaths.includes(paths.other), 'what only their output mentions');
  });

  it('has CA certificates at three places', async () => {
    assert.equal(await runImage(fileOf('certificates')), 'certificates\n'.repeat(3));
    const listing = await filesIn('certificates:1');
    for (const place of [
      'etc/ssl/certs/ca-bundle.crt',
      'etc/ssl/certs/ca-certificates.crt',
      'etc/pki/tls/certs/ca-bundle.crt',
    ])
      hasFile(listing, `l… ${place} -> ${paths.cacert}/etc/ssl/certs/ca-bundle.crt`);
  });

  it("runs without store paths of its own where the host's store is mounted", async () => {
    const name = await load(fileOf('withoutStore'));
    assert.doesNotMatch(await filesIn(name), / nix\//);
    const volume = `${functions.store.root}/nix/store:/nix/store:ro`;
    const output = await docker.command(['run', '--rm', '--network', 'none', '--volume', volume, name]);
    assert.equal(output, GREETING);
  });

  it('has the first one of two files of the same name, and the log names both', async () => {
    const { store } = functions;
    const args = ['--store', store.root, '--read-log', paths.conflicting];
    const log = await runChecked('nix-store', args, { env: store.env });
    const [line = ''] = log.split('\n').filter((text) => text.includes('/other'));
    assert.ok(line.includes(paths.upper) && line.includes(paths.other), log);
    hasFile(await filesIn(await load(fileOf('conflicting'))), `l… other -> ${paths.upper}/other`);
  });

  it('is not built when a command fails, and the log has its output and status', async () => {
    await assert.rejects(functions.build(['failing']), /exit status 3.*\n.*the reason/);
  });

  it('has no store when nothing in it mentions one', async () => {
    const { stdout } = await run('tar', ['--list', '--file', fileOf('noStorePaths')]);
    assert.equal(stdout.match(/^blobs\/sha256\/./gm)?.length, 3, 'a layer, the config and the manifest');
    assert.deepEqual(
      (await inspect('noStorePaths')).layers.flatMap(({ storePaths }) => storePaths),
      [],
    );
    const root = join(directory, 'no-store-paths.tar');
    await phylloChecked(['copy', '--quiet', fileOf('noStorePaths'), `rootfs:${root}`]);
    assert.equal(await runChecked('tar', ['--list', '--file', root]), 'file\n');
  });

  it('says its architecture in the config, and the manifest leads there', async () => {
    const { config } = await readThroughSkopeo(
      `oci-archive:${fileOf('foreign')}`,
      join(directory, 'foreign.dir'),
    );
    assert.equal(config['architecture'], 'arm64');
    const index = JSON.parse(
      await runChecked('tar', ['--extract', '--to-stdout', '--file', fileOf('foreign'), 'index.json']),
    ) as { readonly manifests: readonly { readonly platform?: Readonly<Record<string, string>> }[] };
    assert.deepEqual(index.manifests[0]?.platform, { architecture: 'arm64', os: 'linux' });
  });
});
