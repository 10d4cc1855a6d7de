/** What goes on top of the store layers: commands, copies, and images without a store. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { buildAttributes, buildTestClosure, type TestClosure } from './support/closure.ts';
import { type Docker, startDocker } from './support/docker.ts';
import { copyToCache } from './support/nix.ts';
import { phyllo, phylloChecked, phylloCommand, type Plan, plannedPaths } from './support/phyllo.ts';
import { outcomeOf, runChecked, start, waitUntil } from './support/process.ts';
import { describeWith } from './support/requirements.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';

const directory = temporaryDirectory();
let count = 0;

interface Built {
  readonly imageID: string;
  /** Of the last layer, as `tar -tv` lists it: mode, owner, size or device, date, name. */
  readonly members: readonly string[];
  readonly storePaths: readonly string[];
  readonly warnings: readonly string[];
}

interface Json {
  readonly imageID: string;
  readonly layers: readonly { readonly diffID: string; readonly paths: readonly string[] }[];
  readonly warnings: readonly string[];
}

describeWith(['nix', 'fakeroot', 'proot'], 'the customisation layer', () => {
  let closure: TestClosure;

  before(async () => {
    closure = await buildTestClosure(directory);
  });

  /** A new description in a directory of its own. */
  function describeImage(fields: Readonly<Record<string, unknown>>): string {
    count += 1;
    const file = join(directory, `${count}`, 'image.json');
    mkdirSync(join(directory, `${count}`));
    const store = closure.store.root;
    writeFileSync(file, JSON.stringify({ name: 'test', tag: '1', store, ...fields }));
    return file;
  }

  async function build(description: string, flags: readonly string[] = []): Promise<Built> {
    const layout = `${description}.oci`;
    const args = ['build', description, ...flags, '--json', '--quiet', '--to', `oci:${layout}`];
    const built = JSON.parse(await phylloChecked(args)) as Json;
    const top = built.layers.at(-1)?.diffID.replace(':', '/') ?? '';
    const listing = await runChecked('tar', ['-tvf', join(layout, 'blobs', top), '--numeric-owner']);
    return {
      imageID: built.imageID,
      members: listing.trimEnd().split('\n'),
      storePaths: built.layers.flatMap(({ paths }) => paths),
      warnings: built.warnings,
    };
  }

  const has = (members: readonly string[], pattern: RegExp): void =>
    assert.ok(
      members.some((member) => pattern.test(member)),
      `${pattern} in ${members.join('\n')}`,
    );

  it('has what extraCommands leave, whatever quotes they use', async () => {
    const extraCommands = `mkdir -p tmp var; chmod 1777 tmp\necho "it's \\"quoted\\" \$HOME" > 'var/a b'`;
    const { members } = await build(describeImage({ contents: closure.top, extraCommands }));
    has(members, /^drwxrwxrwt 0\/0 .* \.\/tmp\/$/);
    has(members, /^-rw-r--r-- 0\/0 .* 1980-01-01 .* \.\/var\/a b$/);
    has(members, /^l.* \.\/bin\/hello -> \/nix\/store\//);
  });

  it('has nothing that commands leave outside of their directory', async () => {
    const extraCommands = 'echo x > ../outside; ln -s .. up; ln -s /etc etc; echo x > inside';
    const { members } = await build(describeImage({ extraCommands }));
    assert.deepEqual(
      members.map((member) => member.replace(/.* (?=\.\/)/, '')),
      ['./', './etc -> /etc', './inside', './up -> ..'],
    );
  });

  it('keeps the owners that fakeRootCommands set', async () => {
    const fakeRootCommands = 'mkdir -p home/jane; chown 1000:100 home/jane; chmod 700 home/jane';
    const { members } = await build(describeImage({ contents: closure.top, fakeRootCommands }));
    has(members, /^drwx------ 1000\/100 .* \.\/home\/jane\/$/);
    has(members, /^drwxr-xr-x 0\/0 .* \.\/home\/$/);
  });

  it('brings store paths that only the output of commands mentions', async () => {
    const fakeRootCommands = `echo ${closure.oddities}/names > mention; ln -s ${closure.top}/bin/hello start`;
    const { storePaths } = await build(describeImage({ fakeRootCommands }));
    assert.ok(storePaths.includes(closure.oddities));
    assert.ok(storePaths.includes(closure.top));
  });

  it('is the same from flags and from a file, and each time', async () => {
    const extraCommands = 'echo text > file';
    const fromFile = await build(describeImage({ contents: [closure.top], extraCommands }));
    const flags = ['--contents', closure.top, '--extra-commands', extraCommands];
    assert.equal((await build(describeImage({}), flags)).imageID, fromFile.imageID);
    assert.equal(
      (await build(describeImage({ contents: [closure.top], extraCommands }))).imageID,
      fromFile.imageID,
    );
  });

  it('is the same when it was made before, and no command runs again', async () => {
    const fields = {
      contents: [closure.top],
      extraCommands: `echo ${closure.oddities} > mention; mkdir var`,
      fakeRootCommands: 'chown 7:8 var',
    };
    const description = describeImage(fields);
    const file = join(directory, 'layer.tar');
    await phylloChecked(['customise', description, '--output', file]);
    const whole = await build(description);
    const failing = describeImage({ ...fields, extraCommands: 'exit 1' });
    assert.deepEqual(await build(failing, ['--customisation-layer', file]), whole);
    assert.ok(whole.storePaths.includes(closure.oddities));
    const compressed = ['--compress', 'zstd', '--to', `oci:${join(directory, 'compressed')}`];
    await phylloChecked(['build', failing, '--customisation-layer', file, ...compressed]);
  });

  it('must be a plain tar that is there', async () => {
    const description = describeImage({ contents: closure.top });
    const refused = async (file: string): Promise<void> => {
      const to = `oci:${join(directory, 'refused')}`;
      const { exitCode } = await phyllo(['build', description, '--customisation-layer', file, '--to', to]);
      assert.equal(exitCode, 1);
    };
    writeFileSync(join(directory, 'text'), 'no tar'.repeat(1000));
    await refused(join(directory, 'text'));
    await refused(join(directory, 'missing'));
  });

  it('has no store without store paths', async () => {
    const description = describeImage({ contents: closure.top, includeStorePaths: false });
    const { members, storePaths } = await build(description);
    assert.deepEqual(storePaths, []);
    assert.deepEqual(
      members.filter((member) => / (\.\/|\/)nix\/.*$/.test(member.split(' -> ')[0] ?? '')),
      [],
    );
    has(members, /^l.* \.\/bin\/hello -> \/nix\/store\//);
    const flags = ['--contents', closure.top, '--no-include-store-paths'];
    assert.deepEqual((await build(describeImage({}), flags)).storePaths, []);
  });

  it('has the files of copyToRoot themselves, and conflicts with both sources', async () => {
    const { members, storePaths, warnings } = await build(
      describeImage({ contents: [closure.top], copyToRoot: [closure.oddities, closure.top] }),
    );
    has(members, /^-r-xr-xr-x 0\/0 .* \.\/executable$/);
    has(members, /^drwxr-xr-x 0\/0 .* \.\/names\/a\/$/);
    has(members, /^l.* \.\/links\/parent -> \.\.$/);
    assert.ok(storePaths.includes(closure.large), 'what is copied mentions it');
    assert.ok(warnings.some((warning) => warning.includes('/share/references')));
  });

  it('warns once of a file that many contents have, with the first two', async () => {
    const contents = ['one', 'two', 'three'].map((name) => {
      const tree = join(directory, `same-${name}`);
      mkdirSync(tree);
      writeFileSync(join(tree, 'VERSION'), name);
      return tree;
    });
    const { warnings } = await build(describeImage({ contents }));
    const [one, two] = contents;
    assert.deepEqual(warnings, [
      `contents: /VERSION is in ${one} and in ${two} and 1 more; the first one is in the image`,
    ]);
  });

  it('is the same from a binary cache', async () => {
    const cache = join(directory, 'cache');
    await copyToCache(closure.store, [closure.oddities], { directory: cache, compression: 'zstd' });
    const fields = { copyToRoot: closure.oddities, extraCommands: 'mkdir more' };
    const fromCache = await build(describeImage({ ...fields, store: `file://${cache}` }));
    assert.equal(fromCache.imageID, (await build(describeImage(fields))).imageID);
  });

  it('leaves a copied path itself out of the store', async () => {
    const { storePaths } = await build(describeImage({ copyToRoot: closure.oddities }));
    assert.deepEqual(storePaths, [closure.large]);
  });

  it('has the files of a directory outside the store, and what they mention', async () => {
    const plain = join(directory, 'plain');
    mkdirSync(join(plain, 'etc'), { recursive: true });
    writeFileSync(join(plain, 'etc/motd'), `see ${closure.oddities}\n`, { mode: 0o640 });
    symlinkSync('motd', join(plain, 'etc/link'));
    const { members, storePaths } = await build(describeImage({ contents: ['../plain', closure.large] }));
    has(members, /^-rw-r----- 0\/0 .* \.\/etc\/motd$/);
    has(members, /^l.* \.\/etc\/link -> motd$/);
    assert.ok(storePaths.includes(closure.oddities));
  });

  it('lets fakeRootCommands see the image as /', async () => {
    const [shell] = await buildAttributes(closure.store, ['shell']);
    const fakeRootCommands = `
      test "$PWD" = / && test -e ${closure.top}/bin/hello && test -c /dev/null && test -d /proc/self
      mkdir -p /home/jane && echo x > /home/jane/x && chown 1000:100 /home/jane
    `;
    const readOnly = `${fakeRootCommands}\n! touch ${closure.top}/x`;
    const contents = [shell, closure.top];
    const { members, imageID } = await build(
      describeImage({ contents, fakeRootCommands: readOnly, enableFakechroot: true }),
    );
    has(members, /^drwxr-xr-x 1000\/100 .* \.\/home\/jane\/$/);
    has(members, /^-rw-r--r-- 0\/0 .* \.\/home\/jane\/x$/);
    for (const path of ['dev', 'proc', 'sys', 'nix'])
      assert.ok(!members.some((member) => member.endsWith(` ./${path}/`)), path);
    // Where nothing may be mounted, proot and fakeroot make the same of it.
    const programs = join(directory, 'no-mounts');
    mkdirSync(programs);
    writeFileSync(join(programs, 'unshare'), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
    const image = describeImage({ contents, fakeRootCommands, enableFakechroot: true });
    const env = { PATH: `${programs}:${process.env['PATH'] ?? ''}` };
    const proot = await phylloChecked(['build', image, '--no-cache', '--json', '--to', `oci:${image}.oci`], {
      env,
    });
    assert.equal((JSON.parse(proot) as Json).imageID, imageID);
  });

  it('has the permissions that the description gives, in all layers', async () => {
    const perms = [
      { path: closure.oddities, regex: '/executable$', mode: '0700', uid: 5, capabilities: 'cap_net_raw=ep' },
      { regex: '^/names$', gid: 7 },
    ];
    const fields = { contents: closure.oddities, copyToRoot: closure.oddities, perms };
    const { members, warnings } = await build(describeImage(fields));
    has(members, /^l.* 5\/0 .* \.\/executable -> /);
    has(members, /^drwxr-xr-x 0\/7 .* \.\/names\/$/);
    const copied = await build(describeImage({ copyToRoot: closure.oddities, perms }));
    has(copied.members, /^-rwx------ 5\/0 .* \.\/executable$/);
    assert.ok(!warnings.some((warning) => warning.startsWith('perms')));
  });

  it('has the files of named helpers, below those of contents, and what they link to', async () => {
    const include = ['tmp', 'nss', `bin-sh=${closure.top}`, `usr-bin-env=${closure.large}/bin/x`];
    const { members, storePaths, warnings } = await build(describeImage({ include }));
    has(members, /^drwxrwxrwt 0\/0 .* \.\/tmp\/$/);
    has(members, /^-rw-r--r-- 0\/0 .* \.\/etc\/passwd$/);
    has(members, /^drwxr-xr-x 0\/0 .* \.\/var\/empty\/$/);
    assert.ok(members.some((member) => member.endsWith(`./bin/sh -> ${closure.top}/bin/sh`)));
    assert.ok(members.some((member) => member.endsWith(`./usr/bin/env -> ${closure.large}/bin/x`)));
    assert.ok(storePaths.includes(closure.top));
    assert.deepEqual(warnings, []);
    const plan = JSON.parse(await phylloChecked(['plan', describeImage({ include }), '--json'])) as Plan;
    assert.deepEqual(plannedPaths(plan), storePaths.toSorted());
  });

  it("has Nix's database of the contents, which is valid and the same each time", async () => {
    const fields = { contents: [closure.top], includeNixDB: true };
    const description = describeImage(fields);
    const { imageID, members, storePaths } = await build(description);
    assert.ok(
      members.some(
        (member) => member.includes('./nix/var/nix/gcroots/docker/') && member.endsWith(closure.top),
      ),
    );
    assert.equal((await build(describeImage(fields))).imageID, imageID);
    const root = join(directory, 'unpacked');
    mkdirSync(root);
    const blobs = join(`${description}.oci`, 'blobs/sha256');
    for (const blob of readdirSync(blobs)) {
      const file = join(blobs, blob);
      if (statSync(file).size % 10240 === 0) await runChecked('tar', ['-xf', file, '-C', root]);
    }
    const env = { env: closure.store.env };
    const valid = await runChecked('nix', ['--store', root, 'path-info', '--all'], env);
    assert.deepEqual(valid.trimEnd().split('\n').sort(), storePaths.toSorted());
    await runChecked('nix-store', ['--store', root, '--verify', '--check-contents'], env);
    const kept = await runChecked('nix-store', ['--store', root, '--gc', '--print-live'], env);
    assert.deepEqual(kept.trimEnd().split('\n').sort(), storePaths.toSorted());
  });

  it('leaves nothing behind when a signal comes while a command runs', async () => {
    const temporary = join(directory, 'signal');
    mkdirSync(temporary);
    const extraCommands = `touch ${temporary}/started; sleep 60 & wait`;
    const to = `docker-archive:${join(temporary, 'image.tar')}`;
    const [program, ...args] = phylloCommand(['build', describeImage({ extraCommands }), '--to', to]);
    const child = start(program, args, { env: { TMPDIR: temporary }, stdio: 'ignore' });
    const outcome = outcomeOf(child);
    await waitUntil(() => existsSync(join(temporary, 'started')), { what: 'the command runs', child });
    child.kill('SIGTERM');
    assert.equal((await outcome).signal, 'SIGTERM');
    assert.deepEqual(readdirSync(temporary), ['started']);
  });

  it('stops at a command that fails, and leaves nothing behind', async () => {
    const description = describeImage({
      extraCommands: 'echo the reason >&2\nexit 3',
      contents: closure.top,
    });
    const temporary = join(directory, 'temporary');
    mkdirSync(temporary);
    const args = ['build', description, '--to', `docker-archive:${join(temporary, 'image.tar')}`];
    const { exitCode, stderr } = await phyllo(args, { env: { TMPDIR: temporary } });
    assert.equal(exitCode, 1);
    assert.match(stderr, /COMMAND_FAILED/);
    assert.match(stderr, /status 3/);
    assert.match(stderr, /the reason/);
    assert.deepEqual(readdirSync(temporary), []);
  });
});

describeWith(['nix', 'docker'], 'a customised image in Docker', () => {
  let docker: Docker;

  before(async () => {
    docker = await startDocker(directory);
  });
  after(() => docker.stop());

  it('has capabilities, owners and modes', async () => {
    const own = join(directory, 'own');
    mkdirSync(own);
    const { store, oddities } = await buildTestClosure(own);
    const [shell = ''] = await buildAttributes(store, ['shell']);
    const perms = [
      { path: shell, regex: '/bin/touch$', capabilities: 'cap_net_raw=ep', mode: '0711' },
      { path: oddities, regex: '/names$', uid: 1000, gid: 100 },
    ];
    const image = join(own, 'image.json');
    const fields = { name: 'permitted', tag: '1', copyToRoot: [oddities, shell], perms };
    writeFileSync(
      image,
      JSON.stringify({ ...fields, config: { Env: [`BASH=${shell}/bin/bash`] }, store: store.root }),
    );
    const archive = join(own, 'image.tar');
    await phylloChecked(['build', image, '--quiet', '--to', `docker-archive:${archive}`]);
    await docker.load(archive);
    const container = (await docker.command(['create', 'permitted:1', '/bin/bash'])).trim();
    const exported = join(own, 'exported.tar');
    await docker.command(['export', '-o', exported, container]);
    const listing = await runChecked('tar', [
      '--xattrs',
      '--xattrs-include=*',
      '-tvvf',
      exported,
      '--numeric-owner',
    ]);
    for (const path of ['bin/touch', `${shell.slice(1)}/bin/touch`])
      assert.match(listing, new RegExp(`^-rwx--x--x\\* 0/0 .* ${path}\n.*security.capability`, 'm'));
    assert.match(listing, /^drwxr-xr-x +1000\/100 .* names\/$/m);
  });
});
