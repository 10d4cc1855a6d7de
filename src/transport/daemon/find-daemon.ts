/**
 * Which engine is meant, as the `docker` command finds it: `DOCKER_HOST`, else the context of `DOCKER_CONTEXT`, else the current
 * context of its configuration, else the local socket.
 *
 * @see docker(1), "Environment variables"; docker-context(1)
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { PhylloError, reasonOf, systemErrorCode } from '../../errors.ts';
import { type DaemonAddress, type DaemonTls, DEFAULT_HOST, parseDaemonHost } from './daemon-address.ts';

export interface DaemonSettings {
  /** `DOCKER_HOST` */
  readonly host?: string | undefined;
  /** `DOCKER_CONTEXT` */
  readonly context?: string | undefined;
  /** Docker's own: `$DOCKER_CONFIG` or `~/.docker`. It need not exist. */
  readonly configDirectory: string;
  /** Whether an engine at `host` is talked to with TLS. */
  readonly tls?: boolean;
  /** Where that finds `ca.pem`, `cert.pem` and `key.pem`; the configuration's directory when absent. */
  readonly certificates?: string | undefined;
}

/** @throws PhylloError DAEMON_ADDRESS_INVALID, FILE_UNREADABLE */
export function findDaemon(settings: DaemonSettings): DaemonAddress {
  const { host, tls = false, configDirectory, certificates = configDirectory } = settings;
  const wanted = host === undefined ? chosenContext(settings) : undefined;
  if (wanted !== undefined) return contextAddress(wanted, configDirectory);
  return parseDaemonHost(host ?? DEFAULT_HOST, {
    origin: 'DOCKER_HOST',
    tls: () => (tls ? { ...readCertificates(certificates), insecure: false } : undefined),
  });
}

/** Undefined: the one that is called default, which is no context's. */
function chosenContext({ context, configDirectory }: DaemonSettings): string | undefined {
  const name = context ?? currentContext(configDirectory);
  return name === undefined || name === '' || name === 'default' ? undefined : name;
}

function currentContext(configDirectory: string): string | undefined {
  return readJson(join(configDirectory, 'config.json'), configFile)?.currentContext;
}

const configFile = z.object({ currentContext: z.string().optional() });
const contextFile = z.object({
  Endpoints: z.object({
    docker: z.object({ Host: z.string().optional(), SkipTLSVerify: z.boolean().optional() }).optional(),
  }),
});

function contextAddress(name: string, configDirectory: string): DaemonAddress {
  const directory = createHash('sha256').update(name).digest('hex');
  const found = readJson(join(configDirectory, 'contexts/meta', directory, 'meta.json'), contextFile);
  if (found === undefined)
    throw new PhylloError('DAEMON_ADDRESS_INVALID', `there is no docker context ${JSON.stringify(name)}`, {
      hint: 'docker context ls lists them; DOCKER_CONTEXT or docker context use chose this one',
    });
  const { Host: host = DEFAULT_HOST, SkipTLSVerify: insecure = false } = found.Endpoints.docker ?? {};
  const certificates = readCertificates(join(configDirectory, 'contexts/tls', directory, 'docker'));
  const isSecured = insecure || Object.values(certificates).some((pem) => pem !== undefined);
  return parseDaemonHost(host, {
    origin: `the endpoint of the docker context ${JSON.stringify(name)}`,
    tls: () => (isSecured ? { ...certificates, insecure } : undefined),
  });
}

function readCertificates(directory: string): Omit<DaemonTls, 'insecure'> {
  return {
    authorities: readIfThere(join(directory, 'ca.pem')),
    certificate: readIfThere(join(directory, 'cert.pem')),
    key: readIfThere(join(directory, 'key.pem')),
  };
}

function readJson<T>(file: string, schema: z.ZodType<T>): T | undefined {
  const text = readIfThere(file);
  if (text === undefined) return undefined;
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    throw new PhylloError('DAEMON_ADDRESS_INVALID', `${file} is not a file of docker's: it is malformed`, {
      hint: 'repair it, or say where the engine is with DOCKER_HOST',
      cause,
    });
  }
}

/** @throws PhylloError FILE_UNREADABLE for a file that is there */
function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    const code = systemErrorCode(cause);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new PhylloError('FILE_UNREADABLE', `cannot read ${file}: ${reasonOf(cause)}`, { cause });
  }
}
