/** Podman's image store in a directory of the test's own. It loads; running containers is left to Docker. */
import { join } from 'node:path';
import { runChecked } from './process.ts';

export interface Podman {
  /** Any `podman` command that must succeed; its standard output. */
  command(args: readonly string[]): Promise<string>;
}

/** `directory` must exist. Nothing runs between commands. */
export function podmanIn(directory: string): Podman {
  const storage = [
    '--storage-driver=vfs',
    `--root=${join(directory, 'podman')}`,
    // At most 50 characters.
    `--runroot=${join(directory, 'podman-run')}`,
    `--tmpdir=${join(directory, 'podman-tmp')}`,
  ];
  return { command: (args) => runChecked('podman', [...storage, ...args]) };
}
