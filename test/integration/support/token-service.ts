/** A token service as docker-registry takes it: tokens that it signs let their owners into repositories. */
import { createPrivateKey, randomUUID, sign, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { runChecked } from './process.ts';

/** Everybody may read what is below `public/`; this one may do everything. */
export const USER = { name: 'me', password: 'open sesame', identityToken: 'identity-of-me' } as const;

export interface TokenService {
  /** For the registry's configuration. */
  readonly auth: Readonly<Record<string, object>>;
  /** What was asked for, in order; scopes in the order of the request. */
  readonly asked: readonly TokenQuestion[];
  /** Seconds that it says tokens live. */
  lifetime: number;
  stop(): Promise<void>;
}

export interface TokenQuestion {
  readonly method: string;
  /** Undefined: nobody in particular. */
  readonly user: string | undefined;
  readonly scopes: readonly string[];
}

const SERVICE = 'registry of the test';
const ISSUER = 'token service of the test';

/** `directory` must exist. Needs openssl, for the certificate. */
export async function startTokenService(directory: string): Promise<TokenService> {
  const signer = await makeSigner(directory);
  const asked: TokenQuestion[] = [];
  const service = { lifetime: 300 };
  const server = createServer((request, response) => {
    void answer(request).then(({ question, isWelcome }) => {
      asked.push(question);
      response.statusCode = isWelcome ? 200 : 401;
      const token = signer.sign(claimsFor(question));
      response.end(JSON.stringify(isWelcome ? { token, expires_in: service.lifetime } : { errors: [] }));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const realm = `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`;
  return Object.assign(service, {
    asked,
    auth: { token: { realm, service: SERVICE, issuer: ISSUER, rootcertbundle: signer.certificateFile } },
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  });
}

async function answer(
  request: IncomingMessage,
): Promise<{ readonly question: TokenQuestion; readonly isWelcome: boolean }> {
  const { searchParams } = new URL(request.url ?? '', 'http://127.0.0.1');
  const method = request.method ?? '';
  if (method === 'POST') {
    const form = new URLSearchParams(await text(request));
    const isWelcome =
      form.get('grant_type') === 'refresh_token' && form.get('refresh_token') === USER.identityToken;
    const scopes = form.get('scope')?.split(' ') ?? [];
    return { question: { method, user: USER.name, scopes }, isWelcome };
  }
  const scopes = searchParams.getAll('scope');
  const { authorization } = request.headers;
  if (authorization === undefined) return { question: { method, user: undefined, scopes }, isWelcome: true };
  const proof = Buffer.from(authorization.replace(/^Basic /, ''), 'base64').toString();
  const user = proof.split(':')[0] as string;
  return { question: { method, user, scopes }, isWelcome: proof === `${USER.name}:${USER.password}` };
}

/** @see distribution, "Token Authentication Implementation" */
function claimsFor({ user, scopes }: TokenQuestion): object {
  const now = Math.floor(Date.now() / 1000);
  const access = scopes.map((scope) => {
    const [, type = '', name = '', actions = ''] = /^([^:]+):(.+):([^:]*)$/.exec(scope) ?? [];
    const allowed = user !== undefined ? actions.split(',') : name.startsWith('public/') ? ['pull'] : [];
    return { type, name, actions: allowed };
  });
  const times = { nbf: now - 60, iat: now - 60, exp: now + 3600 };
  return { iss: ISSUER, sub: user ?? '', aud: SERVICE, jti: randomUUID(), access, ...times };
}

async function makeSigner(
  directory: string,
): Promise<{ readonly certificateFile: string; sign(claims: object): string }> {
  const place = join(directory, 'token-service');
  mkdirSync(place);
  const [keyFile, certificateFile] = [join(place, 'key.pem'), join(place, 'certificate.pem')];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  const files = ['-keyout', keyFile, '-out', certificateFile];
  await runChecked('openssl', ['req', '-x509', ...kind, ...files, '-subj', '/CN=token service']);
  const key = createPrivateKey(readFileSync(keyFile));
  const x5c = [new X509Certificate(readFileSync(certificateFile)).raw.toString('base64')];
  const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url');
  return {
    certificateFile,
    sign(claims) {
      const body = `${encode({ typ: 'JWT', alg: 'ES256', x5c })}.${encode(claims)}`;
      const signature = sign('sha256', Buffer.from(body), { key, dsaEncoding: 'ieee-p1363' });
      return `${body}.${signature.toString('base64url')}`;
    },
  };
}
