/** What Nix calls installables (`nixpkgs#hello`, `.#image`): their store paths, which Nix builds or fetches. It must be there. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { PhylloError, reasonOf, systemErrorCode } from '../errors.ts';

const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;
const MAX_SHOWN = 2000;

/** Of a derivation, or of a store path that was named. @see Nix manual, "nix build", `--json` */
interface Built {
  readonly outputs?: Readonly<Record<string, string>>;
  readonly path?: string;
}

/**
 * The outputs' store paths, in the order of the installables.
 * @throws PhylloError PROGRAM_MISSING, COMMAND_FAILED; the signal's reason
 */
export async function buildInstallables(
  installables: readonly string[],
  signal?: AbortSignal,
): Promise<readonly string[]> {
  const features = ['--extra-experimental-features', 'nix-command flakes'];
  const args = [...features, 'build', '--no-link', '--json', '--', ...installables];
  try {
    const { stdout } = await promisify(execFile)('nix', args, {
      maxBuffer: MAX_OUTPUT_BYTES,
      ...(signal === undefined ? {} : { signal }),
    });
    const built = JSON.parse(stdout) as readonly Built[];
    return built.flatMap(({ path, outputs = {} }) => path ?? Object.values(outputs));
  } catch (cause) {
    signal?.throwIfAborted();
    throw failed(installables, cause);
  }
}

function failed(installables: readonly string[], cause: unknown): PhylloError {
  if (systemErrorCode(cause) === 'ENOENT')
    return new PhylloError('PROGRAM_MISSING', 'nix is not on the PATH, and --installable needs it', {
      hint: 'name store paths instead: they need no Nix',
      cause,
    });
  const said = cause instanceof Error && 'stderr' in cause ? String(cause.stderr).trim() : reasonOf(cause);
  return new PhylloError(
    'COMMAND_FAILED',
    `nix cannot build ${installables.join(' ')}: ${said.slice(-MAX_SHOWN)}`,
    { cause },
  );
}
