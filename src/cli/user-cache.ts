/** Where the user's digest cache is. @see XDG Base Directory Specification, `$XDG_CACHE_HOME` */
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { dayOf, type DigestCache, openDigestCache } from '../index.ts';

export function userCacheDirectory(): string {
  const configured = process.env['XDG_CACHE_HOME'] ?? '';
  // The specification has relative paths ignored.
  const directory = isAbsolute(configured) ? configured : join(homedir(), '.cache');
  return join(directory, 'phyllo');
}

export function userCacheFile(): string {
  return join(userCacheDirectory(), 'digests.sqlite');
}

/** A cache that knows nothing where none can be made. */
export function openUserCache(): DigestCache {
  return openDigestCache(userCacheFile(), dayOf(Date.now()));
}
