/** What is tried again, and after which time. @see RFC 9110, "Retry-After" */
import { setTimeout as sleep } from 'node:timers/promises';
import { PhylloError, systemErrorCode } from '../errors.ts';
import { HttpResponse } from './http-response.ts';

export interface RetrySettings {
  /** Attempts after the first; 4 when absent. */
  readonly retries?: number;
  /** Milliseconds before the second attempt, roughly; doubled for each one after it. 300 when absent. */
  readonly backoffMs?: number;
  /** The longest time to wait for, in milliseconds; a server that asks for more is not waited for. 60 seconds when absent. */
  readonly maxWaitMs?: number;
  /** Told before each wait. */
  readonly onRetry?: (waitMs: number, outcome: HttpResponse | undefined) => void;
}

const TEMPORARY: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504]);
/** Failures that come again however often one tries. */
const LASTING =
  /^(ENOTFOUND|ERR_TLS_.*|ERR_SSL_.*|CERT_.*|DEPTH_ZERO_.*|SELF_SIGNED_.*|UNABLE_TO_.*|UND_ERR_(INVALID_ARG|DESTROYED|CLOSED))$/;

/** @param outcome an answer, or an error of `networkError` or of a body */
export function isWorthRepeating(outcome: unknown): boolean {
  if (outcome instanceof HttpResponse) return TEMPORARY.has(outcome.status);
  if (!(outcome instanceof PhylloError) || outcome.code !== 'NETWORK_FAILED') return false;
  const code = systemErrorCode(outcome.cause);
  return code !== undefined && !LASTING.test(code);
}

export interface WaitOptions extends RetrySettings {
  /** The one that failed, from 1. */
  readonly attempt: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Waits as long as the server asks for, else longer after each attempt and never equally long, so that clients that failed
 * together do not come back together. False when the server asks for too long a time.
 * @throws the signal's reason
 */
export async function waitBeforeRetry(
  outcome: HttpResponse | undefined,
  { attempt, backoffMs = 300, maxWaitMs = 60_000, onRetry, signal }: WaitOptions,
): Promise<boolean> {
  const asked = parseRetryAfter(outcome?.header('retry-after'), Date.now());
  if (asked !== undefined && asked > maxWaitMs) return false;
  const backoff = Math.min(backoffMs * 2 ** (attempt - 1), maxWaitMs) * (0.5 + Math.random());
  const waitMs = asked ?? backoff;
  onRetry?.(waitMs, outcome);
  await sleep(waitMs, undefined, signal === undefined ? {} : { signal }).catch((error: unknown) => {
    signal?.throwIfAborted();
    throw error;
  });
  return true;
}

/** Milliseconds from seconds or an HTTP date; undefined for anything else. @param now milliseconds since 1970 */
export function parseRetryAfter(text: string | undefined, now: number): number | undefined {
  if (text === undefined) return undefined;
  if (/^\s*\d{1,9}\s*$/.test(text)) return Number(text) * 1000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
