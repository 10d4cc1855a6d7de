/** What users of nixpkgs' dockerTools have, from nix/functions.nix: derivations built by real Nix in its sandbox, and what Docker makes of them. */
import assert from 'node:assert/strict';
import { createReadStream, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { pipeline } from 'node:stream/promises';
import { createHash } from 'node:crypto';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { describeEverything, flagsOf } from './support/described-without-nix.ts';
import { type Docker, startDocker } from './support/docker.ts';
import { asMachineStore, closureOf } from './support/nix.ts';
import { runStream } from './support/nix-functions.ts';
import {
  type Built,
  built,
  directory,
  fileOf,
  inspect,
  inspectBuilt,
  type Inspected,
  rootOf,
  storePathsOf,
} from './support/nix-images.ts';
import { phylloChecked, phylloCommand } from './support/phyllo.ts';
import { run, runChecked } from './support/process.ts';
import { describeWith } from './support/requirements.ts';
import { sha256OfFile } from './support/skopeo.ts';

const VARIABLES = ['PATH=/bin', `QUOTES='"\\\${x}$(id)\`id\``, 'LINES=a\nb', 'GREEK=ελληνικά'];

/** The ID of the image that Phyllo builds without Nix. */
async function idOf(args: readonly string[]): Promise<string> {
  const { functions } = await built();
  const file = join(directory, 'other.tar');
  await phylloChecked(['build', ...args, '--store', functions.store.root, '--to', `docker-archive:${file}`]);
  return (await inspect(file)).imageID;
}

describeWith(['nix', 'fakeroot'], 'images that nix/functions.nix builds', () => {
  before(built);

  it('are built without a network and without a Nix database', async () => {
    assert.equal(readFileSync(await fileOf('sandbox'), 'utf8'), 'lo\nno database\n');
  });

  it('are streams of the same bytes, whatever the environment is', async () => {
    const { functions, paths } = await built();
    const file = join(directory, 'stream.tar');
    process.env['SOURCE_DATE_EPOCH'] = '1000000000';
    try {
      await runStream(functions.store, paths.stream, { file });
    } finally {
      delete process.env['SOURCE_DATE_EPOCH'];
    }
    assert.equal(await sha256OfFile(file), await sha256OfFile(await fileOf('archive')));
  });

  for (const [given, name] of [
    ['other:2', 'other:2'],
    ['registry.example:5000/group/other:2', 'registry.example:5000/group/other:2'],
    ['registry.example:5000/other', 'registry.example:5000/other:1'],
  ] as const) {
    it(`are named ${name} by a stream with -t ${given}`, async () => {
      const { functions, paths } = await built();
      for (const args of [['-t', given], ['--repo_tag', given], [`--repo_tag=${given}`]]) {
        const file = join(directory, 'renamed.tar');
        await runStream(functions.store, paths.stream, { file, args });
        assert.deepEqual((await inspect(file)).names, [name]);
      }
    });
  }

  it('keep their name with an empty -t', async () => {
    const { functions, paths } = await built();
    const file = join(directory, 'renamed.tar');
    for (const args of [['-t', ''], ['--repo_tag=']]) {
      await runStream(functions.store, paths.stream, { file, args });
      assert.deepEqual((await inspect(file)).names, ['test:1']);
    }
  });

  it('are the same archive, compressed', async () => {
    const expected = await sha256OfFile(await fileOf('archive'));
    for (const [attribute, decompress] of [
      ['gzipped', createGunzip()],
      ['zstandard', createZstdDecompress()],
    ] as const) {
      const hash = createHash('sha256');
      await pipeline(createReadStream(await fileOf(attribute)), decompress, hash);
      assert.equal(`sha256:${hash.digest('hex')}`, expected, attribute);
    }
  });

  it('have a tag that is known before they are built and follows from what is described', async () => {
    const { functions } = await built();
    const { tags, names, ...rest } = (await functions.evaluate('answers')) as {
      readonly tags: Readonly<Record<string, string>>;
      readonly names: readonly string[];
    };
    const { own, stream, said, other, overridden, changed } = tags;
    assert.match(own ?? '', /^[0-9a-df-np-sv-z]{32}$/);
    assert.deepEqual([stream, said, overridden], [own, own, own]);
    assert.notEqual(other, own);
    assert.equal(changed, '1.1');
    assert.deepEqual((await inspectBuilt('untagged')).names, [`test:${own}`]);
    assert.deepEqual(names, ['registry.example:5000/group/hello', '1']);
    assert.deepEqual(rest, { passthru: 'me', description: 'the same image' });
  });

  it('have the image ID that IMAGE.json gives', async () => {
    const { paths } = await built();
    const config = { Cmd: ['/bin/hello'], Env: ['PATH=/bin', `MANUAL=${paths.manual}`] };
    const description = join(directory, 'image.json');
    // The functions divide as dockerTools' do unless they are told otherwise.
    const layering = 'popularity';
    writeFileSync(description, JSON.stringify({ name: 'test', contents: [paths.top], config, layering }));
    assert.equal(await idOf([description]), (await inspectBuilt('archive')).imageID);
  });

  for (const [attribute, conf] of [
    ['archive', 'conf'],
    ['permitted', 'permittedConf'],
  ] as const) {
    it(`have the image ID that their conf gives, as a file and as flags: ${attribute}`, async () => {
      const { imageID } = await inspectBuilt(attribute);
      const file = await fileOf(conf);
      const description = JSON.parse(readFileSync(file, 'utf8')) as Readonly<Record<string, unknown>>;
      assert.equal(await idOf([file]), imageID);
      assert.equal(await idOf(flagsOf(description)), imageID);
    });
  }

  it('are the same bytes from IMAGE.json and from flags, whatever is described', async () => {
    const { functions, paths } = await built();
    const { name, tag, ...description } = describeEverything(paths);
    const expected = await sha256OfFile(await fileOf('everything'));
    const image = join(directory, 'everything.json');
    writeFileSync(image, JSON.stringify({ name, tag, ...description }));
    const file = join(directory, 'everything.tar');
    for (const args of [[image], flagsOf({ name, tag, ...description })]) {
      const build = phylloCommand(['build', ...args, '--no-cache', '--to', `docker-archive:${file}`]);
      const [program = '', ...rest] = asMachineStore(functions.store, build);
      await runChecked(program, rest);
      assert.equal(await sha256OfFile(file), expected);
    }
  });

  it('hold the closure of contents and configuration and nothing else', async () => {
    const { functions, paths } = await built();
    const closure = await closureOf(functions.store, [paths.top, paths.manual]);
    assert.deepEqual(storePathsOf(await inspectBuilt('archive')), closure);
  });

  it('hold what only the configuration mentions, with its closure', async () => {
    const { functions, paths } = await built();
    const closure = await closureOf(functions.store, [paths.program]);
    assert.deepEqual(storePathsOf(await inspectBuilt('configOnly')), closure);
  });

  it('lose no store path where all of them share one layer', async () => {
    const { functions, paths } = await built();
    const image = await inspectBuilt('twoLayers');
    assert.equal(image.layers.length, 2);
    assert.deepEqual(storePathsOf(image), await closureOf(functions.store, [paths.hello]));
  });

  it('share the layers of what they share', async () => {
    const digests = ({ layers }: Inspected): readonly string[] => layers.map(({ digest }) => digest);
    const [hello, shared] = [await inspectBuilt('helloImage'), await inspectBuilt('shared')];
    const storeLayers = digests(hello).slice(0, -1);
    assert.deepEqual(
      storeLayers.filter((digest) => !digests(shared).includes(digest)),
      [],
    );
    assert.equal(shared.layers.length, hello.layers.length + 1);
  });

  it('are divided by a pipeline', async () => {
    assert.equal((await inspectBuilt('pipeline')).layers.length, 4);
  });

  it('have the default date unless another one is given', async () => {
    assert.equal((await inspectBuilt('archive')).created, '1970-01-01T00:00:01Z');
    assert.equal((await inspectBuilt('foreign')).created, '2024-01-31T00:00:00Z');
    const age = Date.now() - Date.parse((await inspectBuilt('now')).created);
    assert.ok(age >= 0 && age < 3_600_000, `${age} ms`);
  });

  it('are for the platform that is described', async () => {
    const { platform } = await inspectBuilt('foreign');
    assert.deepEqual(platform, { architecture: 'arm', os: 'linux', variant: 'v7' });
  });

  it('are merged into one archive', async () => {
    const names = [];
    for (const name of ['test:1', 'gzipped-hello:1', 'config-only:1'])
      names.push((await inspect(`docker-archive:${await fileOf('merged')}:${name}`)).names);
    assert.deepEqual(names, [['test:1'], ['gzipped-hello:1'], ['config-only:1']]);
  });

  it('are what commands make of them', async () => {
    const { functions, paths } = await built();
    const image = await inspectBuilt('commands');
    assert.deepEqual(storePathsOf(image), await closureOf(functions.store, [paths.hello, paths.other]));
    const root = await rootOf('commands');
    assert.equal(await root.content('etc/quoted'), 'it\'s $1 "quoted" ${x}\n');
    assert.match(await root.entry('home/user/'), /^drwx------ 1000\/100 /);
    assert.match(await root.entry('etc/'), /^drwxr-xr-x 0\/0 /);
  });

  it('have what is copied, and the modes and owners that are asked for', async () => {
    const { paths } = await built();
    const root = await rootOf('permitted');
    assert.ok(root.names.includes('greetings/english'));
    assert.match(await root.entry('other'), /^-rw-r----- 0\/0 /);
    assert.match(await root.entry(`${paths.hello.slice(1)}/libexec/hello.sh`), /^-rwx------ 1000\/100 /);
    assert.match(await root.entry('made'), /^-rw-r--r-- 1000\/100 /);
  });

  it('have what only the output of commands mentions', async () => {
    const { paths } = await built();
    assert.ok(storePathsOf(await inspectBuilt('found')).includes(paths.fakeroot));
  });

  it("are streams in nixpkgs' format, whose last layer the commands made", async () => {
    const { functions, paths } = await built();
    const file = join(directory, 'nixpkgs.tar');
    await runStream(functions.store, paths.nixpkgsFormat, { file });
    const members = (await runChecked('tar', ['-tf', file])).trimEnd().split('\n');
    assert.equal(members.at(-1), 'manifest.json');
    assert.ok(
      members.every((member) =>
        /^([0-9a-f]{64}\/(layer\.tar)?|[0-9a-f]{64}\.json|manifest\.json)$/.test(member),
      ),
    );
    const { layers } = await inspect(file);
    const layer = members.findLast((member) => member.includes(layers.at(-1)?.digest.slice(7) ?? '?')) ?? '';
    const names = await run('sh', [
      '-c',
      `tar -xOf '${file}' '${layer.replace(/layer\.tar$/, '')}layer.tar' | tar -t`,
    ]);
    assert.match(names.stdout, /^\.\/made$/m);
  });

  it("are the same bytes in nixpkgs' format as a stream, as an archive, and without Nix's functions", async () => {
    const { functions, paths } = await built();
    const [stream, other] = [join(directory, 'nixpkgs.tar'), join(directory, 'nixpkgs-other.tar')];
    await runStream(functions.store, paths.nixpkgsFormat, { file: stream });
    const conf = await fileOf('nixpkgsFormatConf');
    const to = ['--format', 'dockertools', '--to', `docker-archive:${other}`];
    await phylloChecked(['build', conf, '--store', functions.store.root, ...to]);
    const expected = await sha256OfFile(stream);
    assert.equal(await sha256OfFile(await fileOf('nixpkgsFormatArchive')), expected);
    assert.equal(await sha256OfFile(other), expected);
  });

  it('are streams of the same bytes with commands, under any name', async () => {
    const { functions, paths } = await built();
    const file = join(directory, 'commands.tar');
    await runStream(functions.store, paths.commandsStream, { file });
    assert.equal(await sha256OfFile(file), await sha256OfFile(await fileOf('commands')));
    await runStream(functions.store, paths.commandsStream, { file, args: ['-t', 'other:2'] });
    assert.deepEqual((await inspect(file)).names, ['other:2']);
  });

  it('have the layers of what they are built on, and then their own', async () => {
    const { functions, paths } = await built();
    const digests = ({ layers }: Inspected): readonly string[] => layers.map(({ digest }) => digest);
    const [base, based, twice] = await Promise.all([
      inspectBuilt('archive'),
      inspectBuilt('based'),
      inspectBuilt('basedTwice'),
    ]);
    assert.deepEqual(digests(based).slice(0, base.layers.length), digests(base));
    assert.deepEqual(digests(twice).slice(0, based.layers.length), digests(based));
    const own = { ...based, layers: based.layers.slice(base.layers.length) };
    assert.deepEqual(storePathsOf(own), await closureOf(functions.store, [paths.upper, paths.other]));
    const root = await rootOf('based');
    assert.match(await root.entry('share/references'), /-upper\/share\/references$/m);
    assert.match(await root.entry('bin/hello'), / -> \/nix\/store\/.*\/bin\/hello$/m);
  });

  it('have the variables of what they are built on, unless they are given', async () => {
    const env = (await inspectBuilt('based')).config['Env'];
    assert.deepEqual(env, ['PATH=/bin', 'MANUAL=none', 'MORE=1']);
  });

  it('are streams of the same bytes on a base', async () => {
    const { functions, paths } = await built();
    const file = join(directory, 'based.tar');
    await runStream(functions.store, paths.basedStream, { file });
    assert.equal(await sha256OfFile(file), await sha256OfFile(await fileOf('based')));
  });

  it('have a database in which Nix finds their contents, unchanged', async () => {
    const { functions, paths } = await built();
    const unpacked = join(directory, 'unpacked');
    mkdirSync(unpacked);
    const root = await rootOf('withDatabase');
    await runChecked('tar', ['--extract', '--file', root.file, '--directory', unpacked]);
    const store = { ...functions.store, root: unpacked };
    const registered = await runChecked('nix', ['--store', unpacked, 'path-info', '--all'], {
      env: store.env,
    });
    assert.deepEqual(registered.trimEnd().split('\n').sort(), await closureOf(store, [paths.hello]));
    await runChecked('nix-store', ['--store', unpacked, '--verify', '--check-contents'], { env: store.env });
    assert.match(await root.entry('tmp'), /^drwxrwxrwt 0\/0 /);
  });

  it('have no store without includeStorePaths', async () => {
    const { names } = await rootOf('withoutStore');
    assert.ok(names.includes('bin/hello'));
    assert.deepEqual(
      names.filter((name) => name.startsWith('nix')),
      [],
    );
  });

  it('are exported as a flat root file system', async () => {
    const { paths } = await built();
    const { stdout } = await run('tar', ['--list', '--file', await fileOf('exported')]);
    const names = stdout.split('\n');
    for (const name of ['bin/hello', `${paths.top.slice(1)}/bin/hello`, paths.manual.slice(1)])
      assert.ok(names.includes(name), name);
    const other = await runChecked('tar', ['--list', '--file', await fileOf('exportedOfMerged')]);
    assert.ok(other.includes(`${paths.program.slice(1)}/bin/hello-program\n`));
    assert.ok(!other.split('\n').includes('bin/hello'), 'another image of the archive');
  });
});

describeWith(['nix', 'fakeroot', 'docker'], 'images that nix/functions.nix builds, in Docker', () => {
  let docker: Docker;

  before(async () => {
    docker = await startDocker(directory);
    await built();
  });
  after(() => docker.stop());

  const greeting = { exitCode: 0, stdout: 'Hello from a stack of store paths!\n' };

  async function loadAndRun(attribute: keyof Built['paths'], name: string): Promise<void> {
    assert.deepEqual(await docker.load(await fileOf(attribute)), [name]);
    const { exitCode, stdout } = await docker.runContainer(name);
    assert.deepEqual({ exitCode, stdout }, greeting);
  }

  it('run', () => loadAndRun('archive', 'test:1'));
  it('run when they are compressed', () => loadAndRun('gzipped', 'test:1'));
  it('run when only their configuration names the program', () => loadAndRun('configOnly', 'config-only:1'));
  it('run with two layers', () => loadAndRun('twoLayers', 'two-layers:1'));
  it("run with a registry's name", () => loadAndRun('registry', 'registry.example:5000/group/hello:1'));

  it('run on a base', () => loadAndRun('based', 'based:1'));
  it('run on an image that is built on a base', () => loadAndRun('basedTwice', 'based-twice:1'));

  it('have the imageTag that Nix says', async () => {
    const { functions } = await built();
    const { tags } = (await functions.evaluate('answers')) as { readonly tags: { readonly own: string } };
    assert.deepEqual(await docker.load(await fileOf('untagged')), [`test:${tags.own}`]);
    await runStream(functions.store, (await built()).paths.streamOfUntagged, {
      file: join(directory, 'untagged.tar'),
    });
    assert.deepEqual(await docker.load(join(directory, 'untagged.tar')), [`test:${tags.own}`]);
  });

  it('keep every character of their configuration', async () => {
    await docker.load(await fileOf('quoting'));
    const variables = await docker.command([
      'image',
      'inspect',
      '--format',
      '{{json .Config.Env}}',
      'quoting:1',
    ]);
    assert.deepEqual(JSON.parse(variables), VARIABLES);
  });

  it('show an architecture and its variant', async () => {
    await docker.load(await fileOf('foreign'));
    const format = '{{.Architecture}} {{.Variant}} {{.Created}}';
    const shown = await docker.command(['image', 'inspect', '--format', format, 'foreign:1']);
    assert.equal(shown, 'arm v7 2024-01-31T00:00:00Z\n');
  });

  it('run as another user who owns the store', async () => {
    await docker.load(await fileOf('owned'));
    assert.deepEqual((await docker.runContainer('owned:1')).stdout, greeting.stdout);
  });

  it('are loaded together when they are merged, and run', async () => {
    const names = await docker.load(await fileOf('merged'));
    assert.deepEqual([...names].sort(), ['config-only:1', 'gzipped-hello:1', 'test:1']);
    for (const name of names) assert.equal((await docker.runContainer(name)).stdout, greeting.stdout);
  });
});
