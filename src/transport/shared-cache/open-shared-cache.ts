/** A shared digest cache by its name: `docker://HOST/REPOSITORY`. */
import { PhylloError } from '../../errors.ts';
import type { DigestCache } from '../../layer/digest-cache.ts';
import type { PublicKey, SecretKey } from '../../store/signing-key.ts';
import type { Registries } from '../registry/registries.ts';
import { parseRegistryReference } from '../registry/registry-reference.ts';
import { RegistryEntries } from './registry-entries.ts';
import { SharedCache } from './shared-cache.ts';

export interface OpenSharedCacheOptions {
  /** This machine's own. The shared cache closes it. */
  readonly local: DigestCache;
  /** Stay open; whoever opened them closes them, later. */
  readonly registries: Registries;
  readonly trusted?: readonly PublicKey[] | undefined;
  readonly signer?: SecretKey | undefined;
  readonly writes: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** @throws PhylloError CACHE_INVALID, IMAGE_REFERENCE_INVALID */
export function openSharedCache(
  text: string,
  { local, registries, signal, ...options }: OpenSharedCacheOptions,
): SharedCache {
  const [, name] = /^docker:\/\/(.+)$/s.exec(text) ?? [];
  if (name === undefined) throw invalid(text, 'it does not begin with docker://');
  const { host, repository, tag, digest } = parseRegistryReference(name);
  if (tag !== undefined || digest !== undefined)
    throw invalid(text, 'its entries choose their tags themselves');
  const entries = new RegistryEntries({ client: registries.client(host), repository, signal });
  return new SharedCache(local, { ...options, entries });
}

function invalid(text: string, reason: string): PhylloError {
  return new PhylloError('CACHE_INVALID', `not a shared cache: ${JSON.stringify(text)}: ${reason}`, {
    hint: 'it is a repository of its own in a registry: --cache docker://registry.example/team/cache',
  });
}
