/** What a registry's client needs to know of authentication. */
import type { HttpResponse } from '../../http/http-response.ts';

/** Scopes are `repository:NAME:pull,push`; the first one says which repository a request is about. */
export interface Authenticator {
  /**
   * The value of the `Authorization` header; undefined where none is needed, as far as is known.
   * @throws PhylloError REGISTRY_DENIED, REGISTRY_INVALID, CREDENTIALS_INVALID, NETWORK_FAILED
   */
  authorization(scopes: readonly string[]): Promise<string | undefined>;
  /**
   * Called with an answer of 401, whose body is nobody's business. Whether the request is worth repeating, once, with what
   * `authorization` says from now on.
   * @throws as authorization
   */
  challenged(response: HttpResponse, scopes: readonly string[]): Promise<boolean>;
}
