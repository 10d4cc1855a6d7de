/** Who may do what at a registry: what its client asks for the header that proves it. */
import type { HttpResponse } from '../../http/http-response.ts';

/** Of one registry host. Safe for requests side by side. */
export interface Authenticator {
  /** The Authorization header for a request with these scopes (`repository:NAME:pull,push`), from what is known so far. */
  authorization(scopes: readonly string[]): Promise<string | undefined>;
  /** After a 401: learns from WWW-Authenticate. False when trying again cannot help (a fresh token was refused). */
  challenged(response: HttpResponse, scopes: readonly string[]): Promise<boolean>;
}

/** For registries that ask for nothing. */
export const ANONYMOUS: Authenticator = {
  authorization: () => Promise.resolve(undefined),
  challenged: () => Promise.resolve(false),
};
