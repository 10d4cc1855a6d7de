/** Real Nix with a configuration and a store root of the test's own. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const CONFIG = `build-users-group =
sandbox = false
substituters =
experimental-features = nix-command
`;

/** For a test's `skip` option: false where Nix is there, and where it must be. */
export const skipWithoutNix: string | false =
  process.env['PHYLLO_REQUIRE_INTEGRATION'] === '1' || spawnSync('nix', ['--version']).status === 0
    ? false
    : 'Nix is missing: install it (Debian: nix-bin)';

export interface RealNix {
  /** The root of its store, as `--store` takes it: files are in `root/nix/store`. */
  readonly root: string;
  /** Runs a program on that store; standard output without the last line break. */
  run(program: string, ...args: readonly string[]): string;
  /** Runs a program as it is, in its configuration. */
  plain(program: string, ...args: readonly string[]): Buffer;
}

/** `directory` must exist; everything is in it. */
export function createRealNix(directory: string): RealNix {
  const root = join(directory, 'root');
  const configuration = join(directory, 'conf');
  mkdirSync(configuration);
  writeFileSync(join(configuration, 'nix.conf'), CONFIG);
  const env = {
    ...process.env,
    NIX_CONF_DIR: configuration,
    HOME: directory,
    XDG_CACHE_HOME: join(directory, 'cache'),
  };
  const plain = (program: string, ...args: readonly string[]) =>
    execFileSync(program, args, { env, stdio: ['ignore', 'pipe', 'ignore'], maxBuffer: 2 ** 28 });
  const run = (program: string, ...args: readonly string[]) =>
    plain(program, ...args, '--store', `local?root=${root}`)
      .toString()
      .trimEnd();
  return { root, run, plain };
}
