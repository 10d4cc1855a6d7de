/** What the refusal of a binary cache means to a user. */
import { PhylloError } from '../errors.ts';

/** @param place without what may be secret */
export function cacheDenied(place: string, status: number): PhylloError {
  return new PhylloError('BINARY_CACHE_DENIED', `the binary cache refuses ${place} (HTTP status ${status})`, {
    hint: 'give its credentials in a netrc file, as https://USER:PASSWORD@HOST, or in PHYLLO_STORE_TOKEN (HOST=TOKEN)',
  });
}
