/** Runs the commands of a description in the private tree: the one place outside `store/` that starts programs. */
import { spawn, type ChildProcess } from 'node:child_process';
import { lstatSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PhylloError, reasonOf, systemErrorCode } from '../errors.ts';
import { listed } from '../store/listed.ts';
import { type SeenAs, seenBySystem, type Sight } from './private-tree.ts';

export interface CommandOptions {
  /** The directory in which they run. */
  readonly tree: string;
  /** A private directory for scripts and listings, outside the tree. */
  readonly work: string;
  /** Kills them, and whatever they started. */
  readonly signal: AbortSignal | undefined;
}

export interface ChrootOptions extends CommandOptions {
  /** Where the store is in the image. */
  readonly storeDir: string;
  /** Where it is on disk. */
  readonly storeLocation: string;
}

/** A run that failed: `exitCode` is null when a signal ended it. */
interface Ending {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The end of what was printed, both streams in the order in which they came. */
  readonly tail: string;
}

/** What every run begins with. An error in the middle of a pipe is one, too. */
const PRELUDE = 'umask 022; export SOURCE_DATE_EPOCH=315532800';
const BASH = ['bash', '--noprofile', '--norc', '-e', '-o', 'pipefail', '-c'] as const;

/**
 * Runs `script` in the tree with what this user may do.
 * @throws PhylloError COMMAND_FAILED, PROGRAM_MISSING; the signal's reason
 */
export async function runExtraCommands(script: string, options: CommandOptions): Promise<void> {
  const file = writeScript('extraCommands', script, options);
  await runChecked([...BASH, `${PRELUDE}; eval "$(<"$1")"`, 'extraCommands', file], {
    what: 'extraCommands',
    options,
  });
}

/** Kind, mode, owner, group and path of everything, each ended by NUL: as whoever lists it sees them. */
const LISTING = String.raw`find . -printf '%y\0%m\0%U\0%G\0%P\0'`;

/**
 * Runs `script` in the tree under fakeroot. Without fakeroot, root runs it as what it is.
 * @returns owners and modes as the script has set them
 * @throws PhylloError COMMAND_FAILED, PROGRAM_MISSING, FILE_TYPE_UNSUPPORTED; the signal's reason
 */
export async function runFakeRootCommands(script: string, options: CommandOptions): Promise<Sight> {
  const file = writeScript('fakeRootCommands', script, options);
  const listing = join(options.work, 'listing');
  const body = `${PRELUDE}; ( eval "$(<"$1")" ); ${LISTING} > "$2"`;
  const command = [...BASH, body, 'fakeRootCommands', file, listing];
  await runChecked([...(await fakeroot(options)), ...command], { what: 'fakeRootCommands', options });
  return sightOf(readFileSync(listing, 'latin1'));
}

/**
 * Runs `script` where the tree is `/`, with the store and the machine's /dev, /proc and /sys: as root in a mount namespace of
 * its own, else with proot under fakeroot.
 * @returns owners and modes as the script has set them
 * @throws PhylloError COMMAND_FAILED, PROGRAM_MISSING, FILE_TYPE_UNSUPPORTED; the signal's reason
 */
export async function runChrootCommands(script: string, options: ChrootOptions): Promise<Sight> {
  const { tree, storeDir, storeLocation } = options;
  const file = writeScript('fakeRootCommands', script, options);
  const mountPoints = [...MACHINE_DIRECTORIES, storeDir].map((path) => join(tree, path));
  const made = mountPoints.flatMap((path) => makeDirectories(path, tree));
  const listing = join(options.work, 'listing');
  try {
    const isRoot = await canMount(options);
    const start = isRoot ? ['unshare', '--mount', '--propagation', 'private'] : await proot(options);
    const body = isRoot ? MOUNT_AND_CHROOT : PROOT_AND_LIST;
    const command = [...BASH, body, 'fakeRootCommands', tree, file, storeLocation, storeDir, listing];
    await runChecked([...start, ...command], { what: 'fakeRootCommands', options });
    return isRoot ? seenBySystem : sightOf(readFileSync(listing, 'latin1'));
  } finally {
    for (const path of made.toReversed()) removeIfEmpty(path);
  }
}

const MACHINE_DIRECTORIES = ['/dev', '/proc', '/sys'];

/** The host's bash where it is in the store, else one of the image: $1 is the tree, $4 the store, `enter` how to get there. */
const FIND_SHELL = `
own=$(readlink -f "$BASH")
for shell in "$own" /bin/bash /usr/bin/bash /bin/sh none; do
  case $shell in
    none) echo "the image has no /bin/bash and no /bin/sh to run them" >&2; exit 127;;
    "$own") case $own in "$4"/*) ;; *) continue;; esac;;
  esac
  if "\${enter[@]}" "$shell" -c : 2>/dev/null; then break; fi
done
script="$(<"$2")"
export PATH="$PATH:/bin:/usr/bin:/sbin:/usr/sbin"
`;

const MOUNT_AND_CHROOT = `${PRELUDE}
for directory in ${MACHINE_DIRECTORIES.join(' ')}; do mount --rbind "$directory" "$1$directory"; done
mount --bind "$3" "$1$4"
mount -o remount,bind,ro "$1$4"
enter=(chroot "$1")
${FIND_SHELL}
exec "\${enter[@]}" "$shell" -e -c "cd /; $script"
`;

/** What fakeroot puts into each program must be found where the tree is `/`, too. */
const PROOT_AND_LIST = `${PRELUDE}
enter=(proot -r "$1" ${MACHINE_DIRECTORIES.map((directory) => `-b ${directory}`).join(' ')} -b "$3:$4" -w /)
IFS=: read -r -a libraries <<< "\${LD_LIBRARY_PATH:-}"
for directory in "\${libraries[@]}"; do
  if [ -e "$directory/\${LD_PRELOAD%%:*}" ]; then enter+=(-b "$directory"); fi
done
${FIND_SHELL}
"\${enter[@]}" "$shell" -e -c "$script"
${LISTING} > "$5"
`;

function writeScript(name: string, script: string, { work }: CommandOptions): string {
  const file = join(work, name);
  writeFileSync(file, script);
  return file;
}

async function fakeroot(options: CommandOptions): Promise<readonly string[]> {
  if (await canRun(['fakeroot', '--version'], options)) return ['fakeroot', '--'];
  if (process.getuid?.() === 0) return [];
  throw missing('fakeRootCommands need fakeroot', 'install fakeroot, or run as root');
}

async function canMount(options: CommandOptions): Promise<boolean> {
  if (process.getuid?.() !== 0) return false;
  return await canRun(['unshare', '--mount', 'true'], options);
}

async function proot(options: CommandOptions): Promise<readonly string[]> {
  if (await canRun(['proot', '--version'], options)) return await fakeroot(options);
  throw missing(
    'enableFakechroot needs the right to mount, or proot',
    'run as root, or install proot and fakeroot',
  );
}

function missing(message: string, hint: string): PhylloError {
  return new PhylloError('PROGRAM_MISSING', message, { hint });
}

async function canRun(command: readonly string[], options: CommandOptions): Promise<boolean> {
  try {
    return (await run(command, options)).exitCode === 0;
  } catch (error) {
    if (error instanceof PhylloError) return false;
    throw error;
  }
}

async function runChecked(
  command: readonly string[],
  { what, options }: { readonly what: string; readonly options: CommandOptions },
): Promise<void> {
  const { exitCode, signal, tail } = await run(command, options);
  if (exitCode === 0) return;
  const end = exitCode === null ? `were ended by ${signal}` : `failed with exit status ${exitCode}`;
  const output = tail === '' ? 'they printed nothing' : `their output ends with:\n${tail}`;
  throw new PhylloError('COMMAND_FAILED', `${what} ${end}; ${output}`);
}

async function run([program, ...args]: readonly string[], options: CommandOptions): Promise<Ending> {
  options.signal?.throwIfAborted();
  const child = spawn(program as string, args, {
    cwd: options.tree,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const stop = (): void => killGroup(child);
  options.signal?.addEventListener('abort', stop, { once: true });
  try {
    const tail = gatherTail(child);
    const ending = await endingOf(child, program as string);
    options.signal?.throwIfAborted();
    return { ...ending, tail: tail() };
  } finally {
    options.signal?.removeEventListener('abort', stop);
  }
}

function endingOf(child: ChildProcess, program: string): Promise<Omit<Ending, 'tail'>> {
  return new Promise((resolve, reject) => {
    child.once('error', (cause) => reject(startError(program, cause)));
    // What runs on in the background would change the tree while it is read, and keep the pipes open.
    child.once('exit', () => killGroup(child));
    child.once('close', (exitCode, signal) => resolve({ exitCode, signal }));
  });
}

function startError(program: string, cause: unknown): PhylloError {
  if (systemErrorCode(cause) === 'ENOENT')
    return new PhylloError('PROGRAM_MISSING', `${program} is not on the PATH`, {
      hint: `install ${program}`,
      cause,
    });
  return new PhylloError('COMMAND_FAILED', `cannot start ${program}: ${reasonOf(cause)}`, { cause });
}

function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    // The group is gone when nothing runs in it any more.
    if (systemErrorCode(error) !== 'ESRCH') throw error;
  }
}

const TAIL_BYTES = 4096;
const TAIL_LINES = 20;

function gatherTail({ stdout, stderr }: ChildProcess): () => string {
  let tail = Buffer.alloc(0);
  const take = (chunk: Buffer): void => {
    tail = Buffer.concat([tail, chunk]).subarray(-TAIL_BYTES);
  };
  stdout?.on('data', take);
  stderr?.on('data', take);
  return () => tail.toString().trimEnd().split('\n').slice(-TAIL_LINES).join('\n');
}

const FIELDS = 5;
const SUPPORTED = /^[dfl]$/;

function sightOf(listing: string): Sight {
  const fields = listing.split('\0').slice(0, -1);
  const seen = new Map<string, SeenAs>();
  const unsupported: string[] = [];
  for (let at = 0; at < fields.length; at += FIELDS) {
    const [kind, mode, uid, gid, path] = fields.slice(at, at + FIELDS) as [
      string,
      string,
      string,
      string,
      string,
    ];
    if (!SUPPORTED.test(kind)) unsupported.push(path);
    seen.set(path, { mode: Number.parseInt(mode, 8), uid: Number(uid), gid: Number(gid) });
  }
  if (unsupported.length === 0) return (path) => seen.get(path);
  throw new PhylloError(
    'FILE_TYPE_UNSUPPORTED',
    `fakeRootCommands made a socket, pipe or device: ${listed(unsupported)}`,
    { hint: 'a layer has files, directories and symlinks only' },
  );
}

/** The directories that had to be made, outermost first. A symlink on the way could lead out of the tree. */
function makeDirectories(path: string, tree: string): string[] {
  const made: string[] = [];
  let place = tree;
  for (const name of path.slice(tree.length + 1).split('/')) {
    place = join(place, name);
    const stats = lstatSync(place, { throwIfNoEntry: false });
    if (stats === undefined) {
      mkdirSync(place, { mode: 0o755 });
      made.push(place);
    } else if (!stats.isDirectory()) {
      throw new PhylloError(
        'COMMAND_FAILED',
        `enableFakechroot needs a directory at ${place.slice(tree.length)}, and the image has something else there`,
      );
    }
  }
  return made;
}

function removeIfEmpty(directory: string): void {
  try {
    rmdirSync(directory);
  } catch (error) {
    if (!['ENOTEMPTY', 'EEXIST', 'ENOENT', 'ENOTDIR'].includes(systemErrorCode(error) ?? '')) throw error;
  }
}
