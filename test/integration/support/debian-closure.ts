/**
 * A real store closure out of Debian packages: each package becomes a derivation that unpacks its archive and refers to the packages it
 * depends on. `git` alone gives about 50 store paths; FULL_ROOTS several hundred, more than 2 GB.
 *
 * Steps: ask apt for the dependency graph of the wanted packages; download the archives; cut the dependency cycles that Debian has and Nix
 * does not; write one Nix expression; build it. The archives lie at /packages in the builders' sandbox, so that the store paths are a
 * function of the packages' versions alone.
 */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nixBuild } from './nix.ts';
import type { NixStore } from './nix.ts';
import { runChecked } from './process.ts';

/** What a machine of a developer, a service and a desktop have: many small packages, some very large. */
export const FULL_ROOTS: readonly string[] = (
  'git python3 nginx postgresql-15 gcc g++ ffmpeg curl vim openssh-server imagemagick ruby php-cli ' +
  'default-jre-headless redis-server texlive-base gimp libreoffice-core'
).split(' ');

/** Package names, ascending, of each package's direct dependencies. */
type Dependencies = ReadonlyMap<string, readonly string[]>;

/** Archive file of each package that could be downloaded. */
type Archives = ReadonlyMap<string, string>;

const BUILD_WITHIN_MS = 20 * 60_000;
const DOWNLOAD_WITHIN_MS = 10 * 60_000;
const PACKAGES_PER_DOWNLOAD = 40;

/**
 * Downloads what is not there yet into `directory`/packages and builds the closure.
 * @returns the store path of every package, ascending
 * @throws Error when apt knows no package lists (`apt-get update`) or a download fails
 */
export async function buildDebianClosure(
  store: NixStore,
  { directory, roots }: { readonly directory: string; readonly roots: readonly string[] },
): Promise<readonly string[]> {
  const packages = join(directory, 'packages');
  mkdirSync(packages, { recursive: true });
  const dependencies = await transitiveDependencies(roots);
  const archives = await download([...dependencies.keys()], packages);
  const expression = join(directory, 'packages.nix');
  writeFileSync(expression, nixExpression(withoutCycles(dependencies, archives), archives));
  const paths = await nixBuild(store, expression, {
    sandboxPaths: [`/packages=${packages}`],
    timeoutMs: BUILD_WITHIN_MS,
  });
  return [...new Set(paths)].sort();
}

async function transitiveDependencies(roots: readonly string[]): Promise<Dependencies> {
  const known = new Map<string, readonly string[]>();
  let wanted = [...roots];
  while (wanted.length > 0) {
    const found = await directDependencies(wanted);
    for (const name of wanted) known.set(name, found.get(name) ?? []);
    wanted = [...new Set([...found.values()].flat())].filter((name) => !known.has(name)).sort();
  }
  return known;
}

const DEPENDS_OPTIONS = ['recommends', 'suggests', 'conflicts', 'breaks', 'replaces', 'enhances'];

async function directDependencies(names: readonly string[]): Promise<Dependencies> {
  const options = DEPENDS_OPTIONS.map((relation) => `--no-${relation}`);
  return parseDependencies(await runChecked('apt-cache', ['depends', ...options, ...names]));
}

/** `apt-cache depends`: a package's name, then its dependencies indented; `|` marks all alternatives but the last; `<…>` is virtual. */
function parseDependencies(output: string): Dependencies {
  const result = new Map<string, readonly string[]>();
  let current = '';
  let afterAlternative = false;
  for (const line of output.split('\n')) {
    const dependency = /^ +(\|?)(?:Pre)?Depends: (\S+)/.exec(line);
    if (dependency !== null) {
      const [, bar = '', name = ''] = dependency;
      const isWanted = !afterAlternative && !name.startsWith('<');
      if (isWanted) result.set(current, [...new Set([...(result.get(current) ?? []), name])].sort());
      afterAlternative = bar === '|';
    } else if (/^\S/.test(line)) {
      current = line.trim();
      result.set(current, []);
    }
  }
  return result;
}

async function download(names: readonly string[], directory: string): Promise<Archives> {
  const available = await withCandidate(names);
  if (available.length === 0) throw new Error('apt knows none of the packages: run apt-get update');
  const present = archivesIn(directory);
  const missing = available.filter((name) => !present.has(name));
  for (let index = 0; index < missing.length; index += PACKAGES_PER_DOWNLOAD) {
    const batch = missing.slice(index, index + PACKAGES_PER_DOWNLOAD);
    const sandboxUser = ['-o', 'APT::Sandbox::User=root'];
    await runChecked('apt-get', ['download', '--quiet', ...sandboxUser, ...batch], {
      cwd: directory,
      timeoutMs: DOWNLOAD_WITHIN_MS,
    });
  }
  return new Map([...archivesIn(directory)].filter(([name]) => available.includes(name)));
}

/** Those packages that can be installed: apt lists names of virtual ones as well. */
async function withCandidate(names: readonly string[]): Promise<readonly string[]> {
  const output = await runChecked('apt-cache', ['policy', ...names], { env: { LC_ALL: 'C' } });
  return [...output.matchAll(/^(\S+):\n(?: .*\n)*? {2}Candidate: (?!\(none\))/gm)].map(
    (match) => match[1] ?? '',
  );
}

/** An archive is called NAME_VERSION_ARCHITECTURE.deb. */
function archivesIn(directory: string): Archives {
  const files = readdirSync(directory).filter((file) => file.endsWith('.deb'));
  return new Map(files.map((file) => [file.split('_')[0] ?? '', file]));
}

/** Dependencies before dependents; without the dependency that closes a cycle, and without what has no archive. */
function withoutCycles(dependencies: Dependencies, archives: Archives): Dependencies {
  const result = new Map<string, readonly string[]>();
  const open = new Set<string>();
  const visit = (name: string): void => {
    open.add(name);
    const kept = (dependencies.get(name) ?? []).filter((other) => archives.has(other) && !open.has(other));
    for (const other of kept) if (!result.has(other)) visit(other);
    open.delete(name);
    result.set(name, kept);
  };
  for (const name of [...archives.keys()].sort()) if (!result.has(name)) visit(name);
  return result;
}

/** The shell's `exit` keeps it there to the end: Nix kills a builder that closes its output before it ends. */
const BUILDER = `let
  unpack = name: archive: dependencies: derivation {
    inherit name archive dependencies;
    system = builtins.currentSystem;
    builder = "/bin/sh";
    PATH = "/usr/bin:/bin";
    args = [ "-euc" ''
      mkdir -p $out/nix-support
      dpkg-deb --fsys-tarfile /packages/$archive | tar -x --no-same-owner -C $out
      echo $dependencies > $out/nix-support/dependencies
      exit
    '' ];
  };
`;

function nixExpression(dependencies: Dependencies, archives: Archives): string {
  const definitions = [...dependencies].map(([name, others]) => {
    const archive = archives.get(name) ?? '';
    const references = others.map((other) => `packages."${other}"`).join(' ');
    return `    "${name}" = unpack "${name}-${versionOf(archive)}" "${archive}" [ ${references} ];\n`;
  });
  return `${BUILDER}  packages = {\n${definitions.join('')}  };\nin packages\n`;
}

/** The version with the characters that a store path's name may have. */
function versionOf(archive: string): string {
  const version = decodeURIComponent(archive.split('_')[1] ?? '');
  return version.replaceAll(/[^0-9A-Za-z+._?=-]/g, '.');
}
