/**
 * Tokens for a registry's repositories, from the service that it names.
 *
 * @see distribution, "Token Authentication Specification" and "OAuth2 Token Authentication"
 */
import { z } from 'zod';
import { PhylloError } from '../../errors.ts';
import type { HttpClient } from '../../http/http-client.ts';
import type { HttpResponse } from '../../http/http-response.ts';
import { describeUrl } from '../../http/network-error.ts';
import { isLoopbackHost } from '../../http/redirect.ts';
import { basicAuthorization, type Credentials } from './credential-types.ts';

export interface TokenRequest {
  readonly http: HttpClient;
  readonly realm: URL;
  readonly service: string | undefined;
  /** `repository:NAME:pull,push`; perhaps none. */
  readonly scopes: readonly string[];
  /** Undefined: everybody may ask. */
  readonly credentials: Credentials | undefined;
  /** Whether the user allowed plain HTTP to this very host. */
  readonly allowsPlainHttp: boolean;
}

export interface Token {
  readonly token: string;
  /** Seconds from now. */
  readonly expiresIn: number;
}

const CLIENT_ID = 'phyllo';
const MAX_ANSWER_BYTES = 1024 * 1024;
/** What the specification says of services that do not tell. */
const DEFAULT_SECONDS = 60;
/** What may stand in a header. */
const VISIBLE = /^[\x21-\x7e]+$/;

const tokenAnswer = z.object({
  token: z.string().nullish(),
  access_token: z.string().nullish(),
  expires_in: z.number().nonnegative().nullish(),
});

/** @throws PhylloError REGISTRY_UNAUTHORIZED, REGISTRY_FAILED, NETWORK_FAILED */
export async function fetchToken(request: TokenRequest): Promise<Token> {
  const { realm, credentials } = request;
  requireSafeWay(request);
  const response =
    credentials?.kind === 'identityToken' ? await refresh(request, credentials.token) : await ask(request);
  if (response.status === 200) return parseToken(await response.text(MAX_ANSWER_BYTES), realm);
  await response.discard();
  throw refusal(request, response.status);
}

/** A redirect to a stranger loses the password on the way. */
async function ask({ http, realm, service, scopes, credentials }: TokenRequest): Promise<HttpResponse> {
  const url = new URL(realm);
  if (service !== undefined) url.searchParams.set('service', service);
  for (const scope of scopes) url.searchParams.append('scope', scope);
  if (credentials?.kind !== 'password') return await http.send({ url });
  url.searchParams.set('client_id', CLIENT_ID);
  url.searchParams.set('account', credentials.user);
  return await http.send({ url, headers: { authorization: basicAuthorization(credentials) } });
}

/** Here the secret is in the body, which redirects would take along. */
async function refresh(
  { http, realm, service, scopes }: TokenRequest,
  secret: string,
): Promise<HttpResponse> {
  const form = new URLSearchParams({
    grant_type: 'refresh_token',
    refresh_token: secret,
    client_id: CLIENT_ID,
    ...(service === undefined ? {} : { service }),
    ...(scopes.length === 0 ? {} : { scope: scopes.join(' ') }),
  });
  return await http.send({
    method: 'POST',
    url: realm,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: Buffer.from(form.toString()),
    redirect: 'manual',
  });
}

function requireSafeWay({ realm, credentials, allowsPlainHttp }: TokenRequest): void {
  if (credentials === undefined || realm.protocol === 'https:') return;
  if (isLoopbackHost(realm.hostname) || allowsPlainHttp) return;
  throw new PhylloError(
    'REGISTRY_UNAUTHORIZED',
    `the registry wants credentials to be sent to ${describeUrl(realm)}, which is not encrypted`,
    { hint: 'use a registry whose token service has https' },
  );
}

function parseToken(text: string, realm: URL): Token {
  const answer = tryParse(text);
  const token = answer?.token || answer?.access_token;
  if (token && VISIBLE.test(token)) return { token, expiresIn: answer?.expires_in || DEFAULT_SECONDS };
  throw new PhylloError(
    'REGISTRY_FAILED',
    `the token service at ${describeUrl(realm)} answers with no token`,
  );
}

function tryParse(text: string): z.infer<typeof tokenAnswer> | undefined {
  try {
    return tokenAnswer.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

function refusal({ realm, credentials }: TokenRequest, status: number): PhylloError {
  const where = `the token service at ${describeUrl(realm)}`;
  if (status !== 400 && status !== 401 && status !== 403)
    return new PhylloError('REGISTRY_FAILED', `${where} answers with status ${status}`);
  return credentials === undefined
    ? new PhylloError('REGISTRY_UNAUTHORIZED', `${where} gives no token without credentials`, {
        hint: 'log in with `phyllo login`, or give --creds',
      })
    : new PhylloError(
        'REGISTRY_UNAUTHORIZED',
        `${where} does not accept the credentials (status ${status})`,
        {
          hint: 'log in again with `phyllo login`',
        },
      );
}
