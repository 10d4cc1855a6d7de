/** A containerd of the test's own. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { run, runChecked, startServer } from './process.ts';

export interface Containerd {
  /** Any `ctr` command that must succeed; its standard output. */
  ctr(args: readonly string[]): Promise<string>;
  stop(): Promise<void>;
}

/** `directory` must exist; the caller stops the daemon before it removes the directory. */
export async function startContainerd(directory: string): Promise<Containerd> {
  const state = join(directory, 'containerd');
  mkdirSync(state);
  const address = join(state, 'socket');
  const server = await startServer({
    program: 'containerd',
    args: ['--root', join(state, 'root'), '--state', join(state, 'state'), '--address', address],
    logFile: join(state, 'log'),
    isReady: async () => (await run('ctr', ['--address', address, 'version'])).exitCode === 0,
  });
  return {
    ctr: (args) => runChecked('ctr', ['--address', address, ...args]),
    stop: () => server.stop(),
  };
}
