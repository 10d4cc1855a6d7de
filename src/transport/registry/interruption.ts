/** Which failures of an upload pass, so that it can go on from where it was. */
import type { HttpResponse } from '../../http/http-response.ts';
import { isWorthRepeating } from '../../http/retry.ts';

/** An answer, or what was thrown in its place. */
export type Outcome = HttpResponse | Error;

/** Token that expired, upload that the registry forgot, another place, or a wrong one in the blob. @see RFC 9110, "Status Codes" */
const PASSING: ReadonlySet<number> = new Set([401, 404, 416, 307, 308]);

export function isPassing(outcome: Outcome): boolean {
  return isWorthRepeating(outcome) || (!(outcome instanceof Error) && PASSING.has(outcome.status));
}

/** Runs one attempt. @throws what does not pass and is no answer */
export async function attempt(send: () => Promise<HttpResponse>): Promise<Outcome> {
  try {
    return await send();
  } catch (error) {
    if (error instanceof Error && isPassing(error)) return error;
    throw error;
  }
}
