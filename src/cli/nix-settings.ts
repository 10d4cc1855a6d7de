/** What the user's configuration of Nix says, where Nix would look for it. @see Nix manual, "nix.conf" */
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { type Login, type NixConf, parseNetrc, readNixConf } from '../index.ts';

/** @throws PhylloError FILE_UNREADABLE */
export function userNixConf(): NixConf {
  return readNixConf([join(systemDirectory(), 'nix.conf'), ...userFiles().toReversed()]);
}

function systemDirectory(): string {
  return process.env['NIX_CONF_DIR'] || '/etc/nix';
}

/** The first one wins. */
function userFiles(): readonly string[] {
  const named = process.env['NIX_USER_CONF_FILES'];
  if (named !== undefined && named !== '') return named.split(delimiter).filter((file) => file !== '');
  const home = process.env['XDG_CONFIG_HOME'] || join(homedir(), '.config');
  return [join(home, 'nix', 'nix.conf')];
}

/** Of nix.conf's netrc file, then of the user's own. What is not there or cannot be read has none. */
export function userLogins(conf: NixConf): readonly Login[] {
  const files = [
    conf.get('netrc-file') ?? join(systemDirectory(), 'netrc'),
    process.env['NETRC'] || join(homedir(), '.netrc'),
  ];
  return files.flatMap((file) => {
    try {
      return parseNetrc(readFileSync(file, 'utf8'));
    } catch {
      return [];
    }
  });
}
