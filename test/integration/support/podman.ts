/** Podman's image store in a directory of the test's own. It loads; running containers is left to Docker. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { runChecked, type Server, startServer } from './process.ts';

export interface Podman {
  /** Any `podman` command that must succeed; its standard output. */
  command(args: readonly string[]): Promise<string>;
  /** Its service, with Docker's API at this socket, on the same store. The caller stops it. */
  serve(socket: string): Promise<Server>;
}

/** `directory` must exist. Nothing runs between commands, unless the service does. */
export function podmanIn(directory: string): Podman {
  const storage = [
    '--storage-driver=vfs',
    `--root=${join(directory, 'podman')}`,
    // At most 50 characters.
    `--runroot=${join(directory, 'podman-run')}`,
    `--tmpdir=${join(directory, 'podman-tmp')}`,
  ];
  return {
    command: (args) => runChecked('podman', [...storage, ...args]),
    serve: (socket) =>
      startServer({
        program: 'podman',
        args: [...storage, 'system', 'service', '--time=0', `unix://${socket}`],
        logFile: join(directory, 'podman.log'),
        isReady: () => existsSync(socket),
      }),
  };
}
