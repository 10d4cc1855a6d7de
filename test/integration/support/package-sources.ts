/** The files of which nixpkgs' users build the package: nix/package.nix. */
import { cpSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { NixStore } from './nix.ts';
import { runChecked } from './process.ts';

const OUTPUTS = join(import.meta.dirname, 'flake-outputs.nix');

/** Copies them into a directory. */
export async function copySources(store: NixStore, directory: string): Promise<void> {
  const sources = (await evaluateOutput(store, 'sources')) as readonly string[];
  for (const file of sources) cpSync(file, join(directory, basename(file)), { recursive: true });
}

/** An attribute of flake-outputs.nix. */
export async function evaluateOutput(store: NixStore, attribute: string): Promise<unknown> {
  const options = ['--store', store.root, '--eval', '--strict', '--json'];
  return JSON.parse(
    await runChecked('nix-instantiate', [...options, OUTPUTS, '-A', attribute], { env: store.env }),
  );
}
