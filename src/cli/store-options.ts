/** Flags about where store paths come from, and the store that they and the environment ask for. */
import { join } from 'node:path';
import { type Command, Option } from 'commander';
import {
  buildInstallables,
  type CacheSettings,
  type ImageSettings,
  isTypedPath,
  NIXOS_CACHE_KEY,
  type NixConf,
  nixConfList,
  openNarinfoCache,
  openStore,
  resolveTypedPath,
  type Store,
} from '../index.ts';
import { networkSettings } from './network.ts';
import { userLogins, userNixConf } from './nix-settings.ts';
import { usageError } from './usage-error.ts';
import { userCacheDirectory } from './user-cache.ts';

export interface StoreFlags {
  readonly trustedPublicKeys?: string;
  readonly checkSigs?: boolean;
  readonly narinfoCache?: boolean;
  readonly narinfoCachePositiveTtl?: string;
  readonly narinfoCacheNegativeTtl?: string;
  readonly installable?: string;
}

export const STORE_HEADING = 'Where store paths come from:';

/** Options added afterwards are under another heading of help, or under `Options:`. */
export function addStoreOptions(command: Command): Command {
  return command
    .optionsGroup(STORE_HEADING)
    .addOption(
      new Option(
        '--trusted-public-keys <keys>',
        "keys whose signatures binary caches need, instead of nix.conf's",
      ).argParser(joined),
    )
    .addOption(
      new Option(
        '--installable <what>',
        'what nix calls an installable, which it builds (repeatable; needs Nix)',
      ).argParser(joined),
    )
    .option('--no-check-sigs', 'believe binary caches without signatures')
    .option('--no-narinfo-cache', 'ask binary caches again for what earlier runs were told')
    .option('--narinfo-cache-positive-ttl <seconds>', 'how long a narinfo is believed (default: 30 days)')
    .option('--narinfo-cache-negative-ttl <seconds>', 'how long its absence is believed (default: 1 hour)')
    .optionsGroup('Options:');
}

/** An option that is given several times is a list with spaces. */
export function joined(value: string, previous: string | undefined): string {
  return previous === undefined ? value : `${previous} ${value}`;
}

/** The caller closes it. @throws as openStore; PhylloError FILE_UNREADABLE; UsageError */
export async function openUserStore(
  { store, graph }: { readonly store: string; readonly graph?: string | undefined },
  flags: StoreFlags,
): Promise<Store> {
  const place = { store, ...(graph === undefined ? {} : { graph }) };
  // Nobody needs to read the configuration of Nix for a store of files.
  if (!isCaches(store)) return await openStore(place);
  return await openStore({ ...place, caches: cacheSettings(flags) });
}

/** Whether the words of `--store` are addresses of binary caches. */
export function isCaches(store: string): boolean {
  return store.includes('://');
}

/** @throws PhylloError PROGRAM_MISSING, COMMAND_FAILED; the signal's reason */
export async function resolveInstallables(
  { installable }: StoreFlags,
  signal: AbortSignal | undefined,
): Promise<readonly string[]> {
  if (installable === undefined) return [];
  return await buildInstallables(installable.split(' ').filter(Boolean), signal);
}

/**
 * The description with whole store paths for those that were typed in short, and with what installables are.
 * @throws as resolveTypedPath and resolveInstallables
 */
export async function withTypedPaths(
  settings: ImageSettings,
  {
    store,
    flags,
    signal,
  }: { readonly store: Store; readonly flags: StoreFlags; readonly signal?: AbortSignal },
): Promise<ImageSettings> {
  const whole = async (text: string): Promise<string> =>
    isTypedPath(text) ? await resolveTypedPath(text, store) : text;
  const contents = await Promise.all(settings.contents.map(whole));
  const copyToRoot = await Promise.all(settings.copyToRoot.map(whole));
  return { ...settings, contents: [...contents, ...(await resolveInstallables(flags, signal))], copyToRoot };
}

export function cacheSettings(flags: StoreFlags): CacheSettings {
  const conf = userNixConf();
  const given = flags.trustedPublicKeys?.split(/[\s,]+/).filter(Boolean);
  return {
    http: networkSettings(),
    credentials: { logins: userLogins(conf), tokens: tokensFromEnvironment() },
    publicKeys: given ?? nixConfList(conf, 'trusted-public-keys', [NIXOS_CACHE_KEY]),
    publicKeysGiven: given !== undefined,
    checkSignatures: flags.checkSigs !== false && conf.get('require-sigs') !== 'false',
    ...(flags.narinfoCache === false ? {} : { narinfos: openUserNarinfos(flags, conf) }),
  };
}

function openUserNarinfos(flags: StoreFlags, conf: NixConf): ReturnType<typeof openNarinfoCache> {
  const positive = readSeconds('narinfo-cache-positive-ttl', flags.narinfoCachePositiveTtl, conf);
  const negative = readSeconds('narinfo-cache-negative-ttl', flags.narinfoCacheNegativeTtl, conf);
  return openNarinfoCache(join(userCacheDirectory(), 'narinfos.sqlite'), {
    nowSeconds: Date.now() / 1000,
    ...(positive === undefined ? {} : { positiveTtlSeconds: positive }),
    ...(negative === undefined ? {} : { negativeTtlSeconds: negative }),
  });
}

function readSeconds(name: string, flag: string | undefined, conf: NixConf): number | undefined {
  const text = flag ?? conf.get(name);
  if (text === undefined) return undefined;
  if (/^\d{1,12}$/.test(text)) return Number(text);
  throw usageError(`${name} must be a number of seconds, not ${JSON.stringify(text)}`);
}

/** `HOST=TOKEN`, several separated by spaces: a token is for its own host alone. */
function tokensFromEnvironment(): ReadonlyMap<string, string> {
  const pairs = (process.env['PHYLLO_STORE_TOKEN'] ?? '').split(/\s+/).filter(Boolean);
  return new Map(
    pairs.map((pair): [string, string] => {
      const at = pair.indexOf('=');
      if (at < 1) throw usageError('PHYLLO_STORE_TOKEN is not of the form HOST=TOKEN');
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
}
