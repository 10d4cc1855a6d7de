/** The closure that the integration tests share, built by real Nix: closure.nix. */
import { join } from 'node:path';
import { createNixStore, nixBuild } from './nix.ts';
import type { NixStore } from './nix.ts';

export const CLOSURE_FILE = join(import.meta.dirname, 'closure.nix');

export interface TestClosure {
  readonly store: NixStore;
  /** Refers, directly or not, to all the others but `graph`; `bin/hello` runs. */
  readonly top: string;
  readonly oddities: string;
  readonly alias: string;
  readonly large: string;
}

/** Builds the closure in a new store; `directory` must exist. */
export async function buildTestClosure(directory: string): Promise<TestClosure> {
  const store = createNixStore(directory);
  const attributes = ['top', 'oddities', 'alias', 'large'];
  const [top = '', oddities = '', alias = '', large = ''] = await nixBuild(store, CLOSURE_FILE, {
    attributes,
  });
  return { store, top, oddities, alias, large };
}
