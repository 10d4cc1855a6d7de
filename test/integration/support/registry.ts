/** A Docker registry on a loopback port, with its storage in a directory of the test's own. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { once } from 'node:events';
import { startServer } from './process.ts';

export interface Registry {
  /** `127.0.0.1:PORT`, which image references begin with. Plain HTTP. */
  readonly host: string;
  /** What it was asked so far, in order: `GET /v2/ 200`. */
  requests(): readonly string[];
  stop(): Promise<void>;
}

export interface RegistryOptions {
  /** Of the directory that it makes; `registry` when absent. */
  readonly name?: string;
  /** The configuration's `auth`. */
  readonly auth?: Readonly<Record<string, object>>;
}

/** `directory` must exist; the caller stops the registry before it removes the directory. */
export async function startRegistry(
  directory: string,
  { name = 'registry', auth }: RegistryOptions = {},
): Promise<Registry> {
  const state = join(directory, name);
  mkdirSync(state);
  const host = `127.0.0.1:${await freePort()}`;
  const configuration = join(state, 'config.yml');
  writeFileSync(configuration, configurationOf(state, { host, auth }));
  const server = await startServer({
    program: 'docker-registry',
    args: ['serve', configuration],
    logFile: join(state, 'log'),
    isReady: () => answers(`http://${host}/v2/`),
  });
  const requests = (): readonly string[] => requestsIn(readFileSync(join(state, 'log'), 'utf8'));
  return { host, requests, stop: () => server.stop() };
}

/** Whoever asked, in the form of web servers' logs, among the registry's own messages. */
function requestsIn(log: string): readonly string[] {
  return [...log.matchAll(/"([A-Z]+ \S+) HTTP\/1\.1" (\d+) /g)].map(
    ([, request, status]) => `${request} ${status}`,
  );
}

/** For `auth`: the user `me` with the password `open sesame`. */
export function passwordFile(directory: string): Readonly<Record<string, object>> {
  const path = join(directory, 'htpasswd');
  writeFileSync(path, 'me:$2b$04$wFAvdAjBeAdDS2aX2sJAterlp028I/F/3zmxYNuTm3PWEkKgKkzRa\n');
  return { htpasswd: { realm: 'test', path } };
}

/** YAML is a superset of JSON. */
function configurationOf(
  state: string,
  { host, auth }: { readonly host: string; readonly auth: RegistryOptions['auth'] | undefined },
): string {
  return JSON.stringify({
    version: '0.1',
    log: { level: 'warn' },
    storage: { filesystem: { rootdirectory: join(state, 'data') }, delete: { enabled: true } },
    http: { addr: host },
    ...(auth === undefined ? {} : { auth }),
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
    const { ok, status } = await fetch(url);
    return ok || status === 401;
  } catch {
    return false;
  }
}
