/** The one error class of the project, its closed set of codes, and how a cause is put into words. */

/** Every expected failure has one of these; `docs/` explains each. */
export type ErrorCode =
  | 'ARCHIVE_INVALID'
  | 'BINARY_CACHE_DENIED'
  | 'BINARY_CACHE_INVALID'
  | 'BUDGET_TOO_SMALL'
  | 'CACHE_INVALID'
  | 'CACHE_UNUSABLE'
  | 'CLOSURE_CYCLE'
  | 'CLOSURE_INCOMPLETE'
  | 'COMMAND_FAILED'
  | 'CONTENT_NOT_DIRECTORY'
  | 'CREDENTIALS_INVALID'
  | 'DAEMON_ADDRESS_INVALID'
  | 'DAEMON_FAILED'
  | 'DAEMON_UNREACHABLE'
  | 'DATABASE_UNREADABLE'
  | 'DESTINATION_INVALID'
  | 'DESTINATION_UNWRITABLE'
  | 'DIGEST_INVALID'
  | 'DISK_FULL'
  | 'FILE_CHANGED'
  | 'FILE_TYPE_UNSUPPORTED'
  | 'FILE_UNREADABLE'
  | 'GRAPH_INVALID'
  | 'HASH_INVALID'
  | 'IMAGE_AMBIGUOUS'
  | 'IMAGE_INVALID'
  | 'IMAGE_NOT_FOUND'
  | 'IMAGE_REFERENCE_INVALID'
  | 'LAYER_MISMATCH'
  | 'LAYERING_INVALID'
  | 'LAYOUT_INVALID'
  | 'MENTION_UNKNOWN'
  | 'NAR_INVALID'
  | 'NAR_MISMATCH'
  | 'NAR_MISSING'
  | 'NARINFO_INVALID'
  | 'NETWORK_FAILED'
  | 'PIPE_CLOSED'
  | 'PIPELINE_INVALID'
  | 'PREVIOUS_INVALID'
  | 'PROGRAM_MISSING'
  | 'PULL_TOO_LARGE'
  | 'REGISTRY_FAILED'
  | 'REGISTRY_UNAUTHORIZED'
  | 'SIGNATURE_MISSING'
  | 'SIGNING_KEY_INVALID'
  | 'SOURCE_INVALID'
  | 'STORE_PATH_INVALID'
  | 'STORE_PATH_MODIFIED'
  | 'STORE_PATH_UNKNOWN'
  | 'STORE_UNSUPPORTED'
  | 'TOO_MANY_LAYERS'
  | 'USAGE_INVALID';

export interface PhylloErrorOptions {
  /** What the user can do about it: one sentence, imperative. */
  readonly hint?: string;
  readonly cause?: unknown;
}

/** An expected failure: what failed, why, and what to do. A programmer's mistake is a TypeError or RangeError instead. */
export class PhylloError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, options: PhylloErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'PhylloError';
    this.code = code;
    this.hint = options.hint;
  }
}

/** The system's name of an error (`ENOENT`, `ENOSPC`), or undefined where it has none. */
export function systemErrorCode(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : undefined;
}

/** An error's message without what Node adds of the system call: its code in front, its name and path behind. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = systemErrorCode(error);
  if (code === undefined) return error.message;
  return (error.message.split(',')[0] as string).replace(`${code}: `, '');
}
