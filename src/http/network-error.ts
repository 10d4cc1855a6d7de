/** What it means to a user that a server could not be talked to. */
import { PhylloError, reasonOf, systemErrorCode } from '../errors.ts';

/** @param cause an error of ours stays as it is */
export function networkError(url: URL, cause: unknown): PhylloError {
  if (cause instanceof PhylloError) return cause;
  return new PhylloError('NETWORK_FAILED', `cannot talk to ${describeUrl(url)}: ${networkReason(cause)}`, {
    hint: 'check the address, the network and proxies; run again: what was delivered is not sent twice',
    cause,
  });
}

/** Without user, password and query, which may be secrets. */
export function describeUrl({ origin, pathname }: URL): string {
  return `${origin}${pathname}`;
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nobody answers there',
  ECONNRESET: 'the connection was cut',
  EPIPE: 'the connection was cut',
  ENOTFOUND: 'there is no such host',
  EAI_AGAIN: 'the host cannot be looked up now',
  UND_ERR_SOCKET: 'the connection was cut',
  UND_ERR_CONNECT_TIMEOUT: 'no connection within the time limit',
  UND_ERR_HEADERS_TIMEOUT: 'no answer within the time limit',
  UND_ERR_BODY_TIMEOUT: 'the answer stopped in the middle',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is signed by itself',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is signed by an authority that is not trusted',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate is signed by an authority that is not trusted',
  CERT_HAS_EXPIRED: 'its certificate has expired',
};

/** In a few words. @param cause what a connection ended with */
export function networkReason(cause: unknown): string {
  const inner = cause instanceof AggregateError ? (cause.errors[0] as unknown) : cause;
  return REASONS[systemErrorCode(inner) ?? ''] ?? reasonOf(inner);
}
