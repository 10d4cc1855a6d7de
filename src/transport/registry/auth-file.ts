/**
 * The files in which docker and podman keep credentials. Both have the same form.
 *
 * @see docker-login(1), "Credential stores"; containers-auth.json(5)
 */
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { PhylloError, reasonOf, systemErrorCode } from '../../errors.ts';
import { isJsonObject, type JsonObject, parseJson } from '../../image/json.ts';
import { getFromHelper } from './credential-helper.ts';
import { type Credentials, dockerKey, normalHost } from './credential-types.ts';

export interface AuthFile {
  readonly path: string;
  /** Everything that is in it, for whoever writes it again. */
  readonly document: JsonObject;
  readonly auths: Readonly<Record<string, AuthEntry>>;
  readonly credHelpers: Readonly<Record<string, string>>;
  readonly credsStore: string | undefined;
}

/** A file in which nothing is. */
export const NO_ENTRIES: AuthFile = {
  path: '',
  document: {},
  auths: {},
  credHelpers: {},
  credsStore: undefined,
};

const text = z.string().nullish();
const authEntry = z.object({ auth: text, identitytoken: text, username: text, password: text });
type AuthEntry = z.infer<typeof authEntry>;

const authFile = z.object({
  auths: z.record(z.string(), authEntry).nullish(),
  credHelpers: z.record(z.string(), z.string()).nullish(),
  credsStore: text,
});

/**
 * Undefined where there is no such file.
 * @throws PhylloError CREDENTIALS_INVALID, FILE_UNREADABLE
 */
export async function readAuthFile(path: string): Promise<AuthFile | undefined> {
  const content = await readFile(path, 'utf8').catch((cause: unknown) => {
    if (systemErrorCode(cause) === 'ENOENT' || systemErrorCode(cause) === 'ENOTDIR') return undefined;
    throw new PhylloError('FILE_UNREADABLE', `cannot read ${path}: ${reasonOf(cause)}`, { cause });
  });
  return content === undefined ? undefined : parseAuthFile(content, path);
}

/** Messages of parsers show what they choked on, which may be a secret: they are not handed on. */
function parseAuthFile(content: string, path: string): AuthFile {
  const document = content.trim() === '' ? {} : tryParse(content);
  if (document === undefined) throw invalid(path, 'it is not a JSON object');
  const result = authFile.safeParse(document);
  if (!result.success) throw invalid(path, `${describePlace(result.error)} is not what it should be`);
  const { auths, credHelpers, credsStore } = result.data;
  return {
    path,
    document,
    auths: auths ?? {},
    credHelpers: credHelpers ?? {},
    credsStore: credsStore || undefined,
  };
}

function tryParse(content: string): JsonObject | undefined {
  try {
    const document = parseJson(content);
    return isJsonObject(document) ? document : undefined;
  } catch {
    return undefined;
  }
}

function describePlace(error: z.ZodError): string {
  return error.issues[0]?.path.join('.') ?? 'it';
}

/** The program that keeps credentials for the registry; undefined: the file itself does. */
export function helperFor({ credHelpers, credsStore }: AuthFile, host: string): string | undefined {
  const own = Object.entries(credHelpers).find(([key]) => normalHost(key) === normalHost(host));
  return own?.[1] || credsStore;
}

/**
 * The registry's helper is asked first, then the file's own entries, the one with the longest path that fits.
 * @throws PhylloError CREDENTIALS_INVALID, PROGRAM_MISSING
 */
export async function findInAuthFile(
  file: AuthFile,
  { host, repository }: { readonly host: string; readonly repository?: string | undefined },
): Promise<Credentials | undefined> {
  const helper = helperFor(file, host);
  const kept = helper === undefined ? undefined : await getFromHelper(helper, dockerKey(host));
  if (kept !== undefined) return kept;
  const scope = repository === undefined ? normalHost(host) : `${normalHost(host)}/${repository}`;
  const [best] = Object.entries(file.auths)
    .map(([key, entry]) => ({ key, scope: scopeOf(key), credentials: credentialsIn(entry) }))
    .filter((one) => one.credentials !== undefined && isWithin(scope, one.scope))
    .toSorted((left, right) => right.scope.length - left.scope.length);
  if (best?.credentials !== 'malformed') return best?.credentials;
  throw invalid(file.path, `auths.${best.key}.auth is not base64 of USER:PASSWORD`);
}

/** The entries of the file that are for the registry itself. */
export function keysOf({ auths }: AuthFile, host: string): readonly string[] {
  return Object.keys(auths).filter((key) => scopeOf(key) === normalHost(host));
}

/** A key with a scheme is an address, of which only the host counts; others may go on with a repository's path. */
function scopeOf(key: string): string {
  const path = key.split('/').slice(1).join('/').replace(/\/$/, '');
  const isAddress = /^https?:\/\//.test(key) || /^v[12]$/.test(path);
  return isAddress || path === '' ? normalHost(key) : `${normalHost(key)}/${path}`;
}

function isWithin(scope: string, outer: string): boolean {
  return scope === outer || scope.startsWith(`${outer}/`);
}

function credentialsIn({
  auth,
  identitytoken,
  username,
  password,
}: AuthEntry): Credentials | 'malformed' | undefined {
  if (identitytoken) return { kind: 'identityToken', token: identitytoken };
  if (!auth) return username && password ? { kind: 'password', user: username, password } : undefined;
  // Docker pads with zeros.
  const decoded = Buffer.from(auth, 'base64').toString('utf8').replace(/\0+$/, '');
  const colon = decoded.indexOf(':');
  if (colon < 1) return 'malformed';
  return { kind: 'password', user: decoded.slice(0, colon), password: decoded.slice(colon + 1) };
}

function invalid(path: string, problem: string): PhylloError {
  return new PhylloError('CREDENTIALS_INVALID', `cannot take credentials from ${path}: ${problem}`, {
    hint: 'correct the file, or log in again with `phyllo login`',
  });
}
