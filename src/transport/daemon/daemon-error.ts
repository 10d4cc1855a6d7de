/** What it means to a user that a Docker engine cannot be talked to, or refuses. */
import { PhylloError, systemErrorCode } from '../../errors.ts';
import type { HttpResponse } from '../../http/http-response.ts';
import { networkReason } from '../../http/network-error.ts';
import { printable } from '../registry/registry-error.ts';
import { type DaemonAddress, describeAddress } from './daemon-address.ts';

/** @param cause an error of the HTTP client; what is not about the network stays as it is */
export function daemonError(address: DaemonAddress, cause: unknown): unknown {
  if (!(cause instanceof PhylloError) || cause.code !== 'NETWORK_FAILED') return cause;
  const code = systemErrorCode(cause.cause) ?? '';
  const where = describeAddress(address);
  const [reason, hint] = UNREACHABLE[code] ?? [];
  if (reason !== undefined)
    return new PhylloError('DAEMON_UNREACHABLE', `cannot talk to the Docker engine at ${where}: ${reason}`, {
      hint: hint ?? START,
      cause,
    });
  const isCut = code === 'ECONNRESET' || code === 'EPIPE' || code === 'UND_ERR_SOCKET';
  return new PhylloError(
    isCut ? 'DAEMON_FAILED' : 'DAEMON_UNREACHABLE',
    `the Docker engine at ${where} gave no answer: ${networkReason(cause.cause)}`,
    { hint: isCut ? 'its own log may tell why: journalctl -u docker' : START, cause },
  );
}

const START =
  'start it (systemctl start docker), or say where it is with DOCKER_HOST or docker context use; podman: systemctl start podman.socket and DOCKER_HOST=unix:///run/podman/podman.sock';

/** Reason and hint for each error of a connection that did not come to be. */
const UNREACHABLE: Readonly<Record<string, readonly [string, string?]>> = {
  ENOENT: ['there is no such socket'],
  ENOTSOCK: ['it is no socket'],
  ECONNREFUSED: ['nobody listens there'],
  ENOTFOUND: ['there is no such host'],
  EACCES: [
    'you may not',
    'become a member of its group (usermod -aG docker $USER, then log in again), run as root, or use a rootless engine',
  ],
  EPERM: ['you may not'],
  UND_ERR_CONNECT_TIMEOUT: ['no connection within the time limit'],
};

const MAX_ANSWER_BYTES = 64 * 1024;

/** An answer that is no. Reads what is left of it. @param what that failed: `cannot load the image` */
export async function refusal(response: HttpResponse, what: string): Promise<PhylloError> {
  const text = await response.text(MAX_ANSWER_BYTES).catch(() => '');
  return daemonFailure(what, messageIn(text) || `it answers with status ${response.status}`);
}

/** @param reason as the engine says it */
export function daemonFailure(what: string, reason: string): PhylloError {
  const [, hint] = REMEDIES.find(([pattern]) => pattern.test(reason)) ?? [];
  return new PhylloError('DAEMON_FAILED', `the Docker engine ${what}: ${printable(reason)}`, {
    ...(hint === undefined ? {} : { hint }),
  });
}

const REMEDIES: readonly (readonly [RegExp, string])[] = [
  [/max depth exceeded/, 'its store takes 125 layers: lower maxLayers, those of a base image count, too'],
  [/no space left/, 'make room where the engine keeps its data: docker image prune'],
  [/permission denied/, 'the engine itself lacks a permission: see its log'],
];

/** The engine's own words in `{"message": …}`. */
function messageIn(text: string): string {
  try {
    const { message } = JSON.parse(text) as { readonly message?: unknown };
    return printable(message);
  } catch {
    return printable(text);
  }
}
