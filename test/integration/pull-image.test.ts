/** pullImage of nix/functions.nix: derivations that real Nix builds in its sandbox, of images in a real registry. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { startDocker } from './support/docker.ts';
import { nixBuild, realPath } from './support/nix.ts';
import { type NixFunctions, prepareNixFunctions } from './support/nix-functions.ts';
import { HELLO, phylloChecked } from './support/phyllo.ts';
import { type Registry, startRegistry } from './support/registry.ts';
import { describeWith } from './support/requirements.ts';
import { sha256OfFile, skopeoCopy } from './support/skopeo.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';

const directory = temporaryDirectory();

interface Inspected {
  readonly names: readonly string[];
  readonly manifestDigest: string;
  readonly platform: { readonly architecture: string };
}

describeWith(['nix', 'registry', 'skopeo', 'docker'], 'pullImage', () => {
  let registry: Registry;
  let functions: NixFunctions;
  let name: string;
  let digest: string;
  before(async () => {
    registry = await startRegistry(directory);
    functions = await prepareNixFunctions(directory);
    const archive = join(directory, 'hello.tar');
    await phylloChecked([
      ...['build', join(HELLO, 'image.json'), '--quiet', '--architecture', 'arm64'],
      ...['--to', `docker-archive:${archive}`],
    ]);
    name = `${registry.host}/group/base`;
    await skopeoCopy(`docker-archive:${archive}`, `docker://${name}:1`);
    digest = (await inspect(`docker://${name}:1`)).manifestDigest;
  });
  after(() => registry.stop());

  async function inspect(image: string): Promise<Inspected> {
    return JSON.parse(await phylloChecked(['inspect', '--json', image])) as Inspected;
  }

  /** Builds it, or what a function of images.nix makes of it; the file's real place. */
  async function pull(more: string, make = '(image: image)'): Promise<string> {
    const file = join(directory, 'pull.nix');
    const fixed = `imageName = "${name}"; imageDigest = "${digest}"; arch = "arm64";`;
    const images = `with import ${functions.file};`;
    writeFileSync(file, `${images} ${make} (pullImage { ${fixed} ${more} })`);
    const [path = ''] = await nixBuild(functions.store, file);
    return realPath(functions.store, path);
  }

  /** What its hash must be: that of a copy by hand. */
  async function hashOf(finalName: string): Promise<string> {
    const copy = join(directory, 'copy.tar');
    await phylloChecked([
      ...['copy', '--quiet', '--architecture', 'arm64', `docker://${name}@${digest}`],
      `docker-archive:${copy}:${finalName}`,
    ]);
    const hex = (await sha256OfFile(copy)).slice('sha256:'.length);
    return `sha256-${Buffer.from(hex, 'hex').toString('base64')}`;
  }

  it('is the image with the digest, as an archive with its name', async () => {
    const { names, manifestDigest, platform } = await inspect(
      await pull(`hash = "${await hashOf(`${name}:latest`)}";`),
    );
    assert.deepEqual(names, [`${name}:latest`]);
    assert.equal(manifestDigest, digest);
    assert.equal(platform.architecture, 'arm64');
  });

  it('gets another name, and takes the hash in the old form', async () => {
    const hash = Buffer.from((await hashOf('base:3')).slice('sha256-'.length), 'base64').toString('hex');
    const file = await pull(
      `sha256 = "${hash}"; finalImageName = "base"; finalImageTag = "3"; tlsVerify = false;`,
    );
    assert.deepEqual((await inspect(file)).names, ['base:3']);
  });

  it('runs in Docker, and so does what is built on it', async () => {
    const hash = `hash = "${await hashOf(`${name}:latest`)}";`;
    const docker = await startDocker(directory);
    try {
      for (const make of ['(image: image)', 'onBase']) {
        const [image = ''] = await docker.load(await pull(hash, make));
        assert.equal((await docker.runContainer(image)).stdout, 'Hello from a stack of store paths!\n', make);
      }
    } finally {
      await docker.stop();
    }
  });

  it('tells the hash that it has where another one is said', async () => {
    const wrong = 'sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=';
    const hash = await hashOf('other:latest');
    await assert.rejects(pull(`hash = "${wrong}"; finalImageName = "other";`), ({ message }: Error) =>
      message.includes(hash),
    );
  });
});
