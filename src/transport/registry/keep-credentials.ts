/** Writes credentials where docker and podman look for them, and takes them away. */
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { PhylloError, reasonOf } from '../../errors.ts';
import type { JsonObject } from '../../image/json.ts';
import { writeFully } from '../../layer/chunk-sink.ts';
import { PendingFile } from '../pending-file.ts';
import { type AuthFile, helperFor, keysOf, NO_ENTRIES, readAuthFile } from './auth-file.ts';
import { eraseFromHelper, storeInHelper } from './credential-helper.ts';
import { dockerKey, type PasswordCredentials } from './credential-types.ts';

/**
 * Where the file names a helper for the registry, that one keeps them. All else in the file stays as it is. Gives the keeper's name.
 * @param path of `config.json` or `auth.json`, which need not exist
 * @throws PhylloError CREDENTIALS_INVALID, PROGRAM_MISSING, DESTINATION_UNWRITABLE, DISK_FULL, FILE_UNREADABLE
 */
export async function keepCredentials(
  path: string,
  { host, credentials }: { readonly host: string; readonly credentials: PasswordCredentials },
): Promise<string> {
  const file = (await readAuthFile(path)) ?? NO_ENTRIES;
  const key = dockerKey(host);
  const helper = helperFor(file, host);
  if (helper !== undefined) await storeInHelper(helper, { server: key, credentials });
  const { user, password } = credentials;
  const auth = Buffer.from(`${user}:${password}`).toString('base64');
  const entry = helper === undefined ? { auth } : {};
  await write(path, withAuths(file, { host, more: { [key]: entry } }));
  return helper === undefined ? path : `docker-credential-${helper}`;
}

/**
 * False: there were none.
 * @throws as keepCredentials
 */
export async function forgetCredentials(path: string, host: string): Promise<boolean> {
  const file = await readAuthFile(path);
  if (file === undefined) return false;
  const helper = helperFor(file, host);
  if (helper !== undefined) await eraseFromHelper(helper, dockerKey(host));
  if (keysOf(file, host).length === 0) return false;
  await write(path, withAuths(file, { host, more: {} }));
  return true;
}

/** The document without what it has for the registry, and with `more`. */
function withAuths(
  file: AuthFile,
  { host, more }: { readonly host: string; readonly more: JsonObject },
): JsonObject {
  const own = new Set(keysOf(file, host));
  const auths = (file.document['auths'] ?? {}) as JsonObject;
  const others = Object.entries(auths).filter(([key]) => !own.has(key));
  return { ...file.document, auths: { ...Object.fromEntries(others), ...more } };
}

/** Nobody else may read it. */
async function write(path: string, document: JsonObject): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new PhylloError('DESTINATION_UNWRITABLE', `cannot write ${path}: ${reasonOf(cause)}`, { cause });
  }
  const pending = await PendingFile.create(path, 0o600);
  try {
    writeFully(pending, Buffer.from(`${JSON.stringify(document, undefined, '\t')}\n`), 0);
    await pending.commit();
  } finally {
    await pending.discard();
  }
}
