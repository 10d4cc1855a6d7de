/**
 * Runs the blocks of README.md and docs/ that are marked `sh run`, as they stand: all of a page in one directory, one after the other.
 *
 * The directory has `cache` (the example's binary cache), `image.json` (unless the page makes it), and the archives `image.tar`, `old.tar`
 * and `new.tar`. `registry.example` is a registry that wants the login `me` with `$PASSWORD`; it has `team/app:1`.
 */
import assert from 'node:assert/strict';
import { chmodSync, copyFileSync, cpSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { blocksToRun } from '../support/documented-commands.ts';
import { HELLO, phylloChecked, phylloCommand, REPOSITORY } from './support/phyllo.ts';
import { run } from './support/process.ts';
import { passwordFile, type Registry, startRegistry } from './support/registry.ts';
import { describeWith } from './support/requirements.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';

const PASSWORD = 'open sesame';
const PAGES = ['README.md', ...globSync('docs/*.md', { cwd: REPOSITORY })]
  .map((page) => ({ page, blocks: blocksToRun(readFileSync(join(REPOSITORY, page), 'utf8')) }))
  .filter(({ blocks }) => blocks.length > 0);

const directory = temporaryDirectory();
const fixtures = join(directory, 'fixtures');
const bin = join(directory, 'bin');

describeWith(['registry', 'bash'], 'blocks of the documentation that are marked `sh run`', () => {
  let registry: Registry;

  before(async () => {
    registry = await startRegistry(directory, { auth: passwordFile(directory) });
    makeCommand();
    await makeFixtures(registry.host);
  });
  after(() => registry.stop());

  for (const { page, blocks } of PAGES) {
    it(page, async () => {
      const cwd = join(directory, page.replaceAll(/\W/g, '-'));
      cpSync(fixtures, cwd, { recursive: true });
      const script = blocks.join('\n').replaceAll('registry.example', registry.host);
      if (!/\bphyllo init\b/.test(script)) copyFileSync(join(HELLO, 'image.json'), join(cwd, 'image.json'));
      const env = {
        PATH: `${bin}:${process.env['PATH']}`,
        PASSWORD,
        // Each page logs in by itself, or not at all.
        DOCKER_CONFIG: script.includes('phyllo login') ? join(cwd, 'docker') : join(directory, 'docker'),
      };
      const { exitCode, stderr } = await run('bash', ['-euxo', 'pipefail', '-c', script], { cwd, env });
      assert.equal(exitCode, 0, stderr);
    });
  }

  it('are there', () => {
    assert.ok(PAGES.length >= 7);
  });
});

function makeCommand(): void {
  mkdirSync(bin);
  const file = join(bin, 'phyllo');
  writeFileSync(file, `#!/bin/sh\nexec ${phylloCommand([]).join(' ')} "$@"\n`);
  chmodSync(file, 0o755);
}

async function makeFixtures(host: string): Promise<void> {
  mkdirSync(fixtures);
  cpSync(join(HELLO, 'cache'), join(fixtures, 'cache'), { recursive: true });
  const image = join(HELLO, 'image.json');
  const archive = (name: string): string => `docker-archive:${join(fixtures, name)}`;
  const env = { DOCKER_CONFIG: join(directory, 'docker') };
  mkdirSync(env.DOCKER_CONFIG);
  const auth = Buffer.from(`me:${PASSWORD}`).toString('base64');
  writeFileSync(join(env.DOCKER_CONFIG, 'config.json'), JSON.stringify({ auths: { [host]: { auth } } }));
  const app = `docker://${host}/team/app:1`;
  await phylloChecked(['build', image, '--to', archive('image.tar'), archive('old.tar'), app], { env });
  await phylloChecked(['build', image, '--tag', '1.1', '--to', archive('new.tar')], { env });
}
