/** The closure that the integration tests share, built by real Nix: closure.nix. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createNixStore, nixBuild } from './nix.ts';
import type { NixStore } from './nix.ts';

const CLOSURE_FILE = join(import.meta.dirname, 'closure.nix');

export interface TestClosure {
  readonly store: NixStore;
  /** Refers, directly or not, to `oddities`, `large` and examples/hello; its `bin/hello` runs. */
  readonly top: string;
  readonly oddities: string;
  readonly large: string;
}

/** Builds the closure in a new store; `directory` must exist. */
export async function buildTestClosure(directory: string): Promise<TestClosure> {
  const store = createNixStore(directory);
  const [top = '', oddities = '', large = ''] = await buildAttributes(store, ['top', 'oddities', 'large']);
  return { store, top, oddities, large };
}

/** Builds these attributes of closure.nix; their store paths. */
export function buildAttributes(store: NixStore, attributes: readonly string[]): Promise<readonly string[]> {
  return nixBuild(store, CLOSURE_FILE, { attributes });
}

/** Writes an image description that shows `top` at `/` and runs its program; the file's path. */
export function describeTestImage(directory: string, top: string): string {
  const file = join(directory, 'image.json');
  const config = { Cmd: ['/bin/hello'], Env: ['PATH=/bin'] };
  writeFileSync(file, JSON.stringify({ name: 'test', tag: '1', contents: [top], config }));
  return file;
}
