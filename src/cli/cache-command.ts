/** `phyllo cache [stat|prune|path]` */
import { existsSync } from 'node:fs';
import { Command } from 'commander';
import { type CacheStat, describeSize, PhylloError, SqliteDigestCache } from '../index.ts';
import { print, printJson, say } from './output.ts';
import { openUserCache, userCacheFile } from './user-cache.ts';
import { usageError } from './usage-error.ts';

const MAX_DAYS = 36_500;

export function cacheCommand(): Command {
  const command = new Command('cache').description(
    'The digests of layers that were made before. They can always be made again.',
  );
  command
    .command('stat', { isDefault: true })
    .description('Say how many layers are known, and the size on disk.')
    .option('--json', 'print one JSON document')
    .action((flags: { readonly json?: true }) => showStat(flags.json === true));
  command
    .command('prune')
    .description('Forget layers that were not used for a while.')
    .option('--days <n>', 'days that an unused layer is kept', '90')
    .action((flags: { readonly days: string }) => prune(flags.days));
  command
    .command('path')
    .description("Print the cache's place.")
    .action(() => print(`${userCacheFile()}\n`));
  return command;
}

function showStat(json: boolean): void {
  const path = userCacheFile();
  const stat: CacheStat = existsSync(path) ? withCache((cache) => cache.stat()) : { entries: 0, size: 0 };
  if (json) printJson({ path, ...stat });
  else print(`${path}: ${stat.entries} layers, ${describeSize(stat.size)}\n`);
}

function prune(text: string): void {
  const days = Number(text);
  if (!Number.isInteger(days) || days < 0 || days > MAX_DAYS)
    throw usageError(`--days must be a whole number from 0 to ${MAX_DAYS}, not ${JSON.stringify(text)}`);
  // "Not used for 0 days" is what somebody asks for who wants it empty.
  const removed = withCache((cache) => cache.prune(days === 0 ? -1 : days));
  say(`${removed} layers forgotten`);
}

function withCache<T>(use: (cache: SqliteDigestCache) => T): T {
  const cache = openUserCache();
  try {
    if (cache instanceof SqliteDigestCache) return use(cache);
    throw new PhylloError('CACHE_UNUSABLE', `cannot use the cache at ${userCacheFile()}`, {
      hint: 'its directory must be writable; XDG_CACHE_HOME names another one',
    });
  } finally {
    cache.close();
  }
}
