/** Real Nix with a store, database and configuration of its own, below one directory; the machine's store is not touched. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runChecked } from './process.ts';

export interface NixStore {
  /** The store's files are at `root`/nix/store; Nix calls its paths /nix/store/… all the same. */
  readonly root: string;
  /** The environment in which Nix has the right configuration. */
  readonly env: Readonly<Record<string, string>>;
}

export interface BuildOptions {
  /** Attributes of the expression to build; default all. */
  readonly attributes?: readonly string[];
  /** `NAME` or `NAME=FILE`: what builders see besides the machine's programs. */
  readonly sandboxPaths?: readonly string[];
  readonly timeoutMs?: number;
}

/** The machine's programs, of which the builders are made. */
const PROGRAM_DIRECTORIES = ['/bin', '/lib', '/lib64', '/usr'];

/** Without a build users' group Nix builds as root; a chroot store always has a sandbox. */
const CONFIGURATION = `
build-users-group =
sandbox = false
substituters =
experimental-features = nix-command
filter-syscalls = false
max-jobs = auto
`;

/** An empty store. `directory` must exist. */
export function createNixStore(directory: string): NixStore {
  const configuration = join(directory, 'etc');
  mkdirSync(configuration, { recursive: true });
  writeFileSync(join(configuration, 'nix.conf'), CONFIGURATION);
  return { root: join(directory, 'root'), env: { NIX_CONF_DIR: configuration } };
}

/** Builds what an expression in a file describes; its store paths, in the expression's order, as Nix calls them. */
export async function nixBuild(
  store: NixStore,
  file: string,
  options: BuildOptions = {},
): Promise<readonly string[]> {
  const attributes = (options.attributes ?? []).flatMap((attribute) => ['-A', attribute]);
  const output = await runChecked(
    'nix-build',
    ['--no-out-link', ...nixBuildOptions(store, options), file, ...attributes],
    { env: store.env, ...(options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs }) },
  );
  return lines(output);
}

/** Options of commands that build: the store, and what builders see. */
export function nixBuildOptions(
  store: NixStore,
  { sandboxPaths = [] }: Pick<BuildOptions, 'sandboxPaths'> = {},
): readonly string[] {
  const paths = [...PROGRAM_DIRECTORIES.filter(existsSync), ...sandboxPaths];
  return ['--store', store.root, '--option', 'sandbox-paths', paths.join(' ')];
}

/** Copies files or directories into the store as they are; their store paths, in the same order. */
export async function addToStore(store: NixStore, files: readonly string[]): Promise<readonly string[]> {
  const args = ['--store', store.root, '--add', ...files];
  return lines(await runChecked('nix-store', args, { env: store.env }));
}

/** The store paths that `nix-store -qR` answers, ascending. */
export async function closureOf(store: NixStore, paths: readonly string[]): Promise<readonly string[]> {
  const args = ['--store', store.root, '--query', '--requisites', ...paths];
  return lines(await runChecked('nix-store', args, { env: store.env })).sort();
}

/** What `nix path-info --json --recursive` prints. */
export async function pathInfoJson(store: NixStore, paths: readonly string[]): Promise<string> {
  const args = ['--store', store.root, 'path-info', '--json', '--recursive', ...paths];
  return runChecked('nix', args, { env: store.env });
}

export interface CacheCopy {
  readonly directory: string;
  readonly compression: 'none' | 'xz' | 'zstd' | 'gzip' | 'bzip2' | 'br';
  /** File of a key that signs the paths. */
  readonly secretKey?: string;
}

/** Copies a closure into a binary cache in a directory. */
export async function copyToCache(
  store: NixStore,
  paths: readonly string[],
  { directory, compression, secretKey }: CacheCopy,
): Promise<void> {
  const signing = secretKey === undefined ? '' : `&secret-key=${secretKey}`;
  const destination = `file://${directory}?compression=${compression}${signing}`;
  await runChecked('nix', ['--store', store.root, 'copy', '--to', destination, ...paths], { env: store.env });
}

export interface SigningKeys {
  /** Its file. */
  readonly secretKey: string;
  /** `NAME:BASE64` */
  readonly publicKey: string;
}

/** Keys that Nix makes in a directory, which must exist. */
export async function generateKeys(directory: string, name: string): Promise<SigningKeys> {
  const [secretKey, shared] = [join(directory, `${name}.secret`), join(directory, `${name}.public`)];
  await runChecked('nix-store', ['--generate-binary-cache-key', name, secretKey, shared]);
  return { secretKey, publicKey: readFileSync(shared, 'utf8').trim() };
}

/** Where the files of a store path are. */
export function realPath(store: NixStore, storePath: string): string {
  return join(store.root, storePath);
}

/** A command line that runs `command` where this store is the machine's own /nix, in a mount namespace of its own. */
export function asMachineStore(store: NixStore, command: readonly string[]): readonly string[] {
  const script = 'mkdir -p /nix && mount --bind "$1" /nix && shift && exec "$@"';
  return ['unshare', '--mount', 'sh', '-euc', script, 'sh', join(store.root, 'nix'), ...command];
}

function lines(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}
