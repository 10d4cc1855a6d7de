/** flake.nix and nix/ as nixpkgs' users see them, evaluated with a stub: nixpkgs itself needs a network. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { createNixStore } from './support/nix.ts';
import { evaluateOutput } from './support/package-sources.ts';
import { describeWith } from './support/requirements.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';

const directory = temporaryDirectory();

describeWith(['nix'], 'flake.nix with a stub of nixpkgs', () => {
  const store = createNixStore(directory);

  const evaluate = (attribute: string): Promise<unknown> => evaluateOutput(store, attribute);

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
