/** The README's first command, as a user without Nix runs it, and what Docker makes of the image. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { startDocker } from './support/docker.ts';
import type { Docker } from './support/docker.ts';
import { HELLO, phylloChecked } from './support/phyllo.ts';
import { describeWith } from './support/requirements.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';

const directory = temporaryDirectory();
const archive = join(directory, 'hello.tar');

describeWith(['docker'], 'examples/hello in Docker', () => {
  let docker: Docker;

  before(async () => {
    docker = await startDocker(directory);
  });
  after(() => docker.stop());

  it('is built from its binary cache where no other program is on the PATH', async () => {
    const args = ['build', join(HELLO, 'image.json'), '--to', `docker-archive:${archive}`];
    await phylloChecked(args, { env: { PATH: '' } });
  });

  it('is loaded under its name', async () => {
    assert.deepEqual(await docker.load(archive), ['hello:1.0']);
  });

  it('prints its greeting', async () => {
    const { exitCode, stdout } = await docker.runContainer('hello:1.0');
    assert.deepEqual({ exitCode, stdout }, { exitCode: 0, stdout: 'Hello from a stack of store paths!\n' });
  });

  it('finds its program through the link in /bin, and files through relative links and names beyond ASCII', async () => {
    const { stdout } = await docker.runContainer('hello:1.0', ['hello', 'german', 'ελληνικά']);
    assert.equal(stdout, 'Hallo aus einem Stapel von Store-Pfaden!\nΓεια σου από μια στοίβα φύλλων!\n');
  });

  it('ends as its program does', async () => {
    assert.equal((await docker.runContainer('hello:1.0', ['hello', 'klingon'])).exitCode, 1);
  });

  it('has the configuration that image.json describes', async () => {
    const { config: described } = JSON.parse(readFileSync(join(HELLO, 'image.json'), 'utf8')) as {
      readonly config: Readonly<Record<string, unknown>>;
    };
    const [image] = JSON.parse(await docker.command(['image', 'inspect', 'hello:1.0'])) as [
      { readonly Config: Readonly<Record<string, unknown>> },
    ];
    const kept = Object.fromEntries(Object.keys(described).map((field) => [field, image.Config[field]]));
    assert.deepEqual(kept, described);
  });
});
