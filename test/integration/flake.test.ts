/** flake.nix as its users have it, through Nix, with a stub of nixpkgs whose programs can be used: nixpkgs itself needs a network. */
import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, it } from 'node:test';
import { asMachineStore, nixBuild, nixBuildOptions, type NixStore, realPath } from './support/nix.ts';
import { type NixFunctions, prepareNixFunctions, runStream } from './support/nix-functions.ts';
import { copySources } from './support/package-sources.ts';
import { phylloChecked, REPOSITORY } from './support/phyllo.ts';
import { runChecked } from './support/process.ts';
import { describeWith } from './support/requirements.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';

const SYSTEM = `${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux`;
const STUB = join(import.meta.dirname, 'support/stub-nixpkgs.nix');
const NO_STORE_PATHS = join(REPOSITORY, 'test/fixtures/no-store-paths.json');
const SYSTEMS = ['aarch64-darwin', 'aarch64-linux', 'x86_64-darwin', 'x86_64-linux'];

const directory = temporaryDirectory();
const [own, nixpkgs, user] = ['phyllo', 'nixpkgs', 'user'].map((name) => join(directory, name)) as [
  string,
  string,
  string,
];

describeWith(['nix', 'fakeroot'], 'the flake', () => {
  let functions: NixFunctions;

  before(async () => {
    functions = await prepareNixFunctions(directory);
    await copyFlake(functions.store);
    writeNixpkgs(functions.file);
    writeUser();
  });

  async function nix(args: readonly string[]): Promise<string> {
    const { store } = functions;
    const flakes = ['--extra-experimental-features', 'flakes', '--no-write-lock-file', '--offline'];
    const inputs = ['--impure', '--override-input', 'nixpkgs', `path:${nixpkgs}`];
    return runChecked('nix', [...args, ...flakes, ...inputs, ...nixBuildOptions(store)], { env: store.env });
  }

  it('has what flakes have, for every system', async () => {
    await nix(['flake', 'check', '--no-build', `path:${own}`]);
    const { packages, apps, overlays } = JSON.parse(
      await nix(['flake', 'show', '--json', `path:${own}`]),
    ) as Readonly<Record<string, Readonly<Record<string, { readonly type: string }>>>>;
    for (const outputs of [packages, apps]) {
      assert.deepEqual(Object.keys(outputs ?? {}), SYSTEMS);
      for (const system of Object.values(outputs ?? {}))
        assert.deepEqual(Object.keys(system), ['default', 'phyllo']);
    }
    assert.deepEqual(overlays, { default: { type: 'nixpkgs-overlay' } });
  });

  it('has the functions for every system', async () => {
    const names = ['buildLayeredImage', 'streamLayeredImage', 'mergeImages', 'pullImage', 'exportImage'];
    const select = 'builtins.mapAttrs (_: builtins.attrNames)';
    const lib = JSON.parse(await nix(['eval', '--json', `path:${own}#lib`, '--apply', select])) as Readonly<
      Record<string, readonly string[]>
    >;
    assert.deepEqual(Object.keys(lib), SYSTEMS);
    for (const functions of Object.values(lib))
      assert.deepEqual(
        names.filter((name) => !functions.includes(name)),
        [],
      );
  });

  it('runs the command', async () => {
    const program = (await nix(['eval', '--raw', `path:${own}#apps.${SYSTEM}.default.program`])).trim();
    await nix(['build', '--no-link', `path:${own}`]);
    const [first = '', ...rest] = asMachineStore(functions.store, [program, '--version']);
    assert.match(await runChecked(first, rest), /^\d+\.\d+\.\d+/);
  });

  it('builds images with commands by nix/default.nix, in place of dockerTools', async () => {
    const file = join(directory, 'in-place.nix');
    writeFileSync(
      file,
      `let
        inherit (import ${functions.file}) programs;
        pkgs = import ${nixpkgs}/stub-nixpkgs.nix { system = "${SYSTEM}"; inherit programs; };
        dockerTools = import ${own}/nix { inherit pkgs; };
      in
      dockerTools.buildLayeredImage {
        name = "in-place";
        compressor = "none";
        contents = [ pkgs.hello ];
        extraCommands = "mkdir home";
        fakeRootCommands = "chown 1000:100 home";
      }`,
    );
    const [image = ''] = await nixBuild(functions.store, file);
    const root = join(directory, 'root.tar');
    await phylloChecked(['copy', '--quiet', realPath(functions.store, image), `rootfs:${root}`]);
    const listing = await runChecked('tar', ['--list', '--verbose', '--numeric-owner', '--file', root]);
    assert.match(listing, /^drwxr-xr-x 1000\/100 .* home\/$/m);
    assert.match(listing, /^l.* bin\/hello -> /m);
  });

  it("has the files that the package's build needs", async () => {
    const cwd = join(directory, 'sources');
    await copySources(functions.store, cwd);
    symlinkSync(join(REPOSITORY, 'node_modules'), join(cwd, 'node_modules'));
    await runChecked('npm', ['run', 'build'], { cwd });
    const { bin, man, exports, files } = JSON.parse(readFileSync(join(cwd, 'package.json'), 'utf8')) as {
      readonly bin: { readonly phyllo: string };
      readonly man: readonly string[];
      readonly exports: { readonly '.': Readonly<Record<string, string>> };
      readonly files: readonly string[];
    };
    const published = [
      ...man,
      ...Object.values(exports['.']),
      ...files.filter((file) => !file.startsWith('!')),
    ];
    const completions = ['bash', 'fish', 'zsh'].map((shell) => `dist/completions/phyllo.${shell}`);
    for (const file of [...published, ...completions]) assert.ok(existsSync(join(cwd, file)), file);
    const image = join(cwd, 'image.tar');
    const built = (...args: readonly string[]): Promise<string> =>
      runChecked(process.execPath, [join(cwd, bin.phyllo), ...args]);
    const from = ['--name', 'x', '--graph', NO_STORE_PATHS, '--compress', 'gzip'];
    await built('build', ...from, '--to', `docker-archive:${image}`);
    await built('report', image, '--output', join(cwd, 'report.html'));
  });

  it('gives the flake of docs/flake.md its image', async () => {
    const output = await nix(['build', '--no-link', '--json', `path:${user}#image`]);
    const [{ outputs }] = JSON.parse(output) as [{ readonly outputs: { readonly out: string } }];
    const file = join(directory, 'image.tar');
    await runStream(functions.store, outputs.out, { file });
    const { names } = JSON.parse(await phylloChecked(['inspect', '--json', file])) as {
      readonly names: readonly string[];
    };
    assert.deepEqual(names, ['hello:1.0']);
  });
});

async function copyFlake(store: NixStore): Promise<void> {
  for (const part of ['flake.nix', 'nix'])
    cpSync(join(REPOSITORY, part), join(own, part), { recursive: true });
  await copySources(store, own);
}

function writeNixpkgs(images: string): void {
  mkdirSync(nixpkgs);
  cpSync(STUB, join(nixpkgs, 'stub-nixpkgs.nix'));
  const outputs = `{
    outputs = _:
      let
        pkgsFor = system: import ./stub-nixpkgs.nix { inherit system; inherit (import ${images}) programs; };
        inherit (pkgsFor "${SYSTEM}") lib;
      in
      { inherit lib; legacyPackages = lib.genAttrs [ ${SYSTEMS.map((name) => `"${name}"`).join(' ')} ] pkgsFor; };
  }`;
  writeFileSync(join(nixpkgs, 'flake.nix'), outputs);
}

/** The flake that the page shows, for this machine. */
function writeUser(): void {
  const [, flake = ''] =
    /```nix\n(.*?)```/s.exec(readFileSync(join(REPOSITORY, 'docs/flake.md'), 'utf8')) ?? [];
  mkdirSync(user);
  const here = flake.replace('inputs.phyllo.url = "…"', `inputs.phyllo.url = "path:${own}"`);
  writeFileSync(join(user, 'flake.nix'), here.replaceAll('x86_64-linux', SYSTEM));
}
