/** Who somebody is to a registry, and where that is looked up. */
import { findInAuthFile, readAuthFile } from './auth-file.ts';
import { type Credentials, normalHost } from './credential-types.ts';

export interface CredentialSettings {
  /** Given by the user for this run: they win. */
  readonly explicit?: readonly ExplicitCredentials[];
  /** docker's `config.json` and podman's `auth.json`, in the order in which they are asked. They need not exist. */
  readonly files?: readonly string[];
}

export interface ExplicitCredentials {
  /** The registry they are for; undefined: whichever is talked to. */
  readonly host: string | undefined;
  readonly credentials: Credentials;
}

/**
 * Undefined: nobody knows any.
 * @param host as image references begin with
 * @throws PhylloError CREDENTIALS_INVALID, FILE_UNREADABLE, PROGRAM_MISSING
 */
export async function findCredentials(
  { host, repository }: { readonly host: string; readonly repository?: string | undefined },
  { explicit = [], files = [] }: CredentialSettings,
): Promise<Credentials | undefined> {
  const given = explicit.find((one) => one.host === undefined || normalHost(one.host) === normalHost(host));
  if (given !== undefined) return given.credentials;
  for (const path of files) {
    const file = await readAuthFile(path);
    const found = file && (await findInAuthFile(file, { host, repository }));
    if (found !== undefined) return found;
  }
  return undefined;
}
