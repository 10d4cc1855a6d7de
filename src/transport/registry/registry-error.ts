/** What it means to a user that a registry refuses. */
import { type Digest, isDigest } from '../../digest.ts';
import { type ErrorCode, PhylloError } from '../../errors.ts';
import type { HttpResponse } from '../../http/http-response.ts';
import { describeUrl } from '../../http/network-error.ts';

/** What a registry says for itself. @see OCI distribution-spec v1.1, "Error Codes" */
export interface Diagnostic {
  readonly code: string;
  readonly message: string;
}

export interface RegistryFailure {
  readonly status: number;
  readonly diagnostics: readonly Diagnostic[];
}

/** A registry answered, and the answer is no. */
export class RegistryError extends PhylloError implements RegistryFailure {
  readonly status: number;
  readonly diagnostics: readonly Diagnostic[];

  constructor(
    code: ErrorCode,
    message: string,
    { hint, status, diagnostics }: RegistryFailure & { readonly hint: string | undefined },
  ) {
    super(code, message, hint === undefined ? {} : { hint });
    this.name = 'RegistryError';
    this.status = status;
    this.diagnostics = diagnostics;
  }
}

const MAX_BODY_BYTES = 64 * 1024;
const MAX_DIAGNOSTICS = 5;
const MAX_TEXT_LENGTH = 300;

/**
 * Reads what is left of the answer.
 * @param what that failed: `cannot push docker.io/me/hello`
 */
export async function registryError(response: HttpResponse, what: string): Promise<RegistryError> {
  const { status, url } = response;
  const diagnostics = await readDiagnostics(response);
  const said = diagnostics.map(({ code, message }) => (message === '' ? code : `${code}: ${message}`));
  const reason = said.length === 0 ? `${describeUrl(url)} answers with ${status}` : said.join('; ');
  const { code, hint } = meaningOf(status);
  return new RegistryError(code, `${what}: ${reason}`, { status, diagnostics, hint });
}

/**
 * Compares what the registry calls what it has taken with what was sent. Not all of them say.
 * @throws RegistryError REGISTRY_FAILED
 */
export function requireDigest(
  response: HttpResponse,
  { digest, what }: { readonly digest: Digest; readonly what: string },
): void {
  const claimed = claimedDigest(response);
  if (claimed === undefined || claimed === digest) return;
  throw nonsense(response, {
    what: `${what}: the registry took it as ${claimed}, and it is ${digest}`,
    hint: 'the registry, or somebody on the way to it, changes what is pushed: ask whoever runs it',
  });
}

export function claimedDigest(response: HttpResponse): Digest | undefined {
  const text = response.header('docker-content-digest') ?? '';
  return isDigest(text) ? text : undefined;
}

/** An answer that should not have been given. */
export function nonsense(
  { status }: HttpResponse,
  { what, hint }: { readonly what: string; readonly hint?: string },
): RegistryError {
  return new RegistryError('REGISTRY_FAILED', what, { status, diagnostics: [], hint });
}

function meaningOf(status: number): { readonly code: ErrorCode; readonly hint: string | undefined } {
  if (status === 401 || status === 403)
    return {
      code: 'REGISTRY_UNAUTHORIZED',
      hint: 'log in with phyllo login, docker login or --creds as somebody who may; some registries want the repository made first',
    };
  const isBusy = status === 429 || status >= 500;
  return {
    code: 'REGISTRY_FAILED',
    hint: isBusy ? 'run again later: what arrived is not sent twice' : undefined,
  };
}

async function readDiagnostics(response: HttpResponse): Promise<readonly Diagnostic[]> {
  try {
    const document = JSON.parse(await response.text(MAX_BODY_BYTES)) as { readonly errors?: unknown } | null;
    const errors: readonly unknown[] = Array.isArray(document?.errors) ? document.errors : [];
    return errors.slice(0, MAX_DIAGNOSTICS).map(toDiagnostic);
  } catch {
    return [];
  }
}

function toDiagnostic(error: unknown): Diagnostic {
  const { code, message } = (typeof error === 'object' && error !== null ? error : {}) as Partial<
    Record<keyof Diagnostic, unknown>
  >;
  return { code: printable(code) || 'UNKNOWN', message: printable(message) };
}

/** Short, on one line, without what a terminal obeys and what looks like a secret. */
export function printable(value: unknown): string {
  if (typeof value !== 'string') return '';
  return value
    .replaceAll(/\p{C}+/gu, ' ')
    .replaceAll(/\b(bearer|basic)\s+[\w.~+/=-]{8,}/gi, '$1 …')
    .replaceAll(/([?&][\w.-]+=)[^&\s"]+/g, '$1…')
    .replaceAll(/\beyJ[\w-]+\.[\w-]+\.[\w-]*/g, '…')
    .slice(0, MAX_TEXT_LENGTH)
    .trim();
}
