/** Which Docker engine the environment means, as it does for the `docker` command. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { type DaemonAddress, findDaemon } from '../index.ts';

/** @throws PhylloError DAEMON_ADDRESS_INVALID, FILE_UNREADABLE */
export function dockerHost(): DaemonAddress {
  return findDaemon({
    host: variable('DOCKER_HOST'),
    context: variable('DOCKER_CONTEXT'),
    configDirectory: variable('DOCKER_CONFIG') ?? join(homedir(), '.docker'),
    tls: variable('DOCKER_TLS_VERIFY') !== undefined,
    certificates: variable('DOCKER_CERT_PATH'),
  });
}

function variable(name: string): string | undefined {
  return process.env[name] || undefined;
}
