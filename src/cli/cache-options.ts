/** Flags of the digest cache: the user's own, and one that machines share. */
import { type Command, Option } from 'commander';
import {
  type DigestCache,
  type Memory,
  NO_CACHE,
  openSharedCache,
  parsePublicKey,
  parseSecretKey,
  type PublicKey,
  type Registries,
  type SharedCache,
  SqliteDigestCache,
} from '../index.ts';
import { readTextFile } from './description-file.ts';
import { openUserCache } from './user-cache.ts';
import { readingArguments, usageError } from './usage-error.ts';

export interface CacheFlags {
  /** False: `--no-cache`. */
  readonly cache?: string | false;
  readonly cacheReadOnly?: true;
  readonly cacheTrustedKeys?: readonly string[];
  readonly cacheSecretKeyFile?: string;
}

export interface OpenCaches {
  /** The caller closes it. */
  readonly cache: DigestCache;
  readonly sharedCache: SharedCache | undefined;
  /** Plans that were made on this machine; undefined where nothing is remembered. */
  readonly plans: Memory | undefined;
}

export function addCacheOptions(command: Command): Command {
  return command
    .optionsGroup('The digest cache:')
    .option('--cache <repository>', 'share what is known of layers through docker://HOST/REPOSITORY')
    .addOption(new Option('--cache-read-only', 'learn from the shared cache, and write nothing there'))
    .option(
      '--cache-trusted-keys <key...>',
      "believe only entries of the shared cache that one of these keys signed: public keys in Nix's form",
    )
    .option(
      '--cache-secret-key-file <file>',
      "sign what is written there with this secret key, in Nix's form",
    )
    .option('--no-cache', 'make every layer, and remember nothing')
    .optionsGroup('Options:');
}

/** What a flag says of registries, for `openRegistries`. */
export function cacheRegistry({ cache }: CacheFlags): string | undefined {
  return typeof cache === 'string' ? cache : undefined;
}

/** @throws UsageError; PhylloError FILE_UNREADABLE, SIGNING_KEY_INVALID */
export function openCaches(
  flags: CacheFlags,
  { registries, signal }: { readonly registries: Registries; readonly signal: AbortSignal },
): OpenCaches {
  const place = cacheRegistry(flags);
  if (place === undefined) requireNoSharing(flags);
  const trusted = trustedKeys(flags);
  const file = flags.cacheSecretKeyFile;
  const signer = file === undefined ? undefined : parseSecretKey(readTextFile(file));
  const local = flags.cache === false ? NO_CACHE : openUserCache();
  const plans = local instanceof SqliteDigestCache ? local.plans : undefined;
  if (place === undefined) return { cache: local, sharedCache: undefined, plans };
  const options = { local, registries, trusted, signer, writes: flags.cacheReadOnly !== true, signal };
  const sharedCache = readingArguments(() => openSharedCache(place, options));
  return { cache: sharedCache, sharedCache, plans };
}

function requireNoSharing({ cacheReadOnly, cacheTrustedKeys, cacheSecretKeyFile }: CacheFlags): void {
  if (cacheReadOnly ?? cacheTrustedKeys ?? cacheSecretKeyFile)
    throw usageError('there is no shared cache', 'name one with --cache docker://HOST/REPOSITORY');
}

/** Several in one text, too, as nix.conf has them. */
function trustedKeys({ cacheTrustedKeys }: CacheFlags): readonly PublicKey[] | undefined {
  return cacheTrustedKeys?.flatMap((text) => text.trim().split(/\s+/).map(parsePublicKey));
}
