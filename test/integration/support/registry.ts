/** A Docker registry on a loopback port, with its storage in a directory of the test's own. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { once } from 'node:events';
import { startServer } from './process.ts';

export interface Registry {
  /** `127.0.0.1:PORT`, which image references begin with. Plain HTTP. */
  readonly host: string;
  stop(): Promise<void>;
}

/** `directory` must exist; the caller stops the registry before it removes the directory. */
export async function startRegistry(directory: string): Promise<Registry> {
  const state = join(directory, 'registry');
  mkdirSync(state);
  const host = `127.0.0.1:${await freePort()}`;
  const configuration = join(state, 'config.yml');
  writeFileSync(configuration, configurationOf(state, host));
  const server = await startServer({
    program: 'docker-registry',
    args: ['serve', configuration],
    logFile: join(state, 'log'),
    isReady: () => answers(`http://${host}/v2/`),
  });
  return { host, stop: () => server.stop() };
}

/** YAML is a superset of JSON. */
function configurationOf(state: string, host: string): string {
  return JSON.stringify({
    version: '0.1',
    log: { level: 'warn' },
    storage: { filesystem: { rootdirectory: join(state, 'data') } },
    http: { addr: host },
  });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).ok;
  } catch {
    return false;
  }
}
