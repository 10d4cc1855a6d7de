/** A Docker daemon of the test's own: its data, socket and state in one directory, no network. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { run, runChecked, startServer } from './process.ts';
import type { Outcome } from './process.ts';

export interface Docker {
  /** Of its API. */
  readonly socket: string;
  /** Loads an archive; the names that Docker says it loaded. */
  load(archive: string): Promise<readonly string[]>;
  /** Runs a container without a network to its end. */
  runContainer(image: string, command?: readonly string[]): Promise<Outcome>;
  /** Any `docker` command that must succeed; its standard output. */
  command(args: readonly string[]): Promise<string>;
  /** Any `docker` command, whatever its end. */
  tryCommand(args: readonly string[]): Promise<Outcome>;
  stop(): Promise<void>;
}

/** `directory` must exist; the caller stops the daemon before it removes the directory. */
export async function startDocker(directory: string): Promise<Docker> {
  const state = join(directory, 'docker');
  mkdirSync(state);
  const socket = join(state, 'socket');
  const host = `unix://${socket}`;
  const client = { env: { DOCKER_HOST: host, DOCKER_CONFIG: join(state, 'client') } };
  const server = await startServer({
    program: 'dockerd',
    args: daemonArguments(state, host),
    logFile: join(state, 'log'),
    isReady: async () => (await run('docker', ['version'], client)).exitCode === 0,
  });
  return {
    socket,
    load: async (archive) => loadedNames(await runChecked('docker', ['load', '-i', archive], client)),
    runContainer: (image, command = []) =>
      run('docker', ['run', '--rm', '--network', 'none', image, ...command], client),
    command: (args) => runChecked('docker', args, client),
    tryCommand: (args) => run('docker', args, client),
    stop: () => server.stop(),
  };
}

function daemonArguments(state: string, host: string): readonly string[] {
  return [
    `--data-root=${join(state, 'data')}`,
    `--exec-root=${join(state, 'exec')}`,
    `--pidfile=${join(state, 'pid')}`,
    `--host=${host}`,
    '--storage-driver=overlay2',
    '--iptables=false',
    '--ip6tables=false',
    '--bridge=none',
  ];
}

function loadedNames(output: string): readonly string[] {
  return [...output.matchAll(/^Loaded image(?: ID)?: (.+)$/gm)].map((match) => match[1] ?? '');
}
