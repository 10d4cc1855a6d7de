/** Whether a registry lets somebody in. @see OCI distribution-spec v1.1, "end-1" */
import type { HttpSettings } from '../../http/http-client.ts';
import type { PasswordCredentials } from './credential-types.ts';
import { Registries } from './registries.ts';
import { RegistryAuthenticator } from './registry-authenticator.ts';
import { registryError } from './registry-error.ts';

export interface CheckOptions {
  /** As in `RegistryReference`. */
  readonly host: string;
  readonly network?: HttpSettings;
  /** Hosts that may be talked to over plain http. */
  readonly insecure?: readonly string[];
  readonly signal?: AbortSignal;
}

/** @throws PhylloError REGISTRY_UNAUTHORIZED, REGISTRY_FAILED, NETWORK_FAILED */
export async function checkCredentials(
  credentials: PasswordCredentials,
  { host, signal, ...options }: CheckOptions,
): Promise<void> {
  await using registries = new Registries({
    ...options,
    authenticator: (_, request) =>
      new RegistryAuthenticator({ ...request, credentials: () => Promise.resolve(credentials) }),
  });
  const response = await registries.client(host).send({ to: '/v2/', scopes: [], signal });
  if (response.status !== 200)
    throw await registryError(response, `cannot log in to ${host} as ${credentials.user}`);
  await response.discard();
}
