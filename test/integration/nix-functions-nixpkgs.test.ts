/** flake.nix and nix/ as nixpkgs' users see them, evaluated with a stub: nixpkgs itself needs a network. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { it } from 'node:test';
import { createNixStore } from './support/nix.ts';
import { runChecked } from './support/process.ts';
import { describeWith } from './support/requirements.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';

const OUTPUTS = join(import.meta.dirname, 'support/flake-outputs.nix');

const directory = temporaryDirectory();

describeWith(['nix'], 'flake.nix with a stub of nixpkgs', () => {
  const store = createNixStore(directory);

  async function evaluate(attribute: string): Promise<unknown> {
    const options = ['--store', store.root, '--eval', '--strict', '--json'];
    const output = await runChecked('nix-instantiate', [...options, OUTPUTS, '-A', attribute], {
      env: store.env,
    });
    return JSON.parse(output);
  }

  it('offers the command as its app', async () => {
    assert.match((await evaluate('program')) as string, /^\/nix\/store\/.*-phyllo\/bin\/phyllo$/);
  });

  it('knows where the packages of the lock file are', async () => {
    const addresses = (await evaluate('addresses')) as readonly string[];
    const patterns = [
      /^https:\/\/[^/]+\/zod\/-\/zod-[\d.]+\.tgz$/,
      /^https:\/\/[^/]+\/@types\/node\/-\/node-[\d.]+\.tgz$/,
    ];
    for (const [i, pattern] of patterns.entries()) assert.match(addresses[i] ?? '', pattern);
  });

  it('offers the functions, from which derivations come', async () => {
    assert.equal(await evaluate('areDerivations'), true);
    assert.equal(await evaluate('imageName'), 'group/image');
  });
});
