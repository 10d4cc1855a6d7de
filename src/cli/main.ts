/** The command: arguments in, exit status out. Only `cli/` prints, reads the environment and exits. */
import { Command, CommanderError } from 'commander';
import { buildCommand } from './build-command.ts';
import { cacheCommand } from './cache-command.ts';
import { closureCommand } from './closure-command.ts';
import { copyCommand, mergeCommand } from './copy-command.ts';
import { customiseCommand } from './customise-command.ts';
import { diffCommand } from './diff-command.ts';
import { dockerToolsCommand } from './dockertools-command.ts';
import { inspectCommand } from './inspect-command.ts';
import { loginCommand, logoutCommand } from './login-command.ts';
import { planCommand } from './plan-command.ts';
import { usesColour } from './output.ts';
import { reportError, type Reporting } from './report-error.ts';
import { silenceExperimentalWarnings } from './experimental-warnings.ts';
import { stopOnSignals } from './signals.ts';
import { fromCommander, statusOf } from './usage-error.ts';
import { version } from './version.ts';

void main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<void> {
  silenceExperimentalWarnings();
  const signals = stopOnSignals();
  try {
    await createProgram(signals.signal).parseAsync([...args], { from: 'user' });
  } catch (error) {
    signals.raise();
    process.exitCode = finish(error, reportingOf(args));
  } finally {
    signals.release();
  }
}

function createProgram(signal: AbortSignal): Command {
  const program = new Command('phyllo')
    .description('Many-layered, bit-for-bit reproducible container images from a closure of Nix store paths.')
    .version(version())
    .addCommand(buildCommand(signal))
    .addCommand(planCommand())
    .addCommand(closureCommand(signal))
    .addCommand(customiseCommand(signal))
    .addCommand(diffCommand(signal))
    .addCommand(copyCommand(signal))
    .addCommand(mergeCommand(signal))
    .addCommand(inspectCommand(signal))
    .addCommand(loginCommand(signal))
    .addCommand(logoutCommand())
    .addCommand(cacheCommand())
    .addCommand(dockerToolsCommand(signal))
    .configureHelp({ showGlobalOptions: true });
  for (const command of [program, ...program.commands]) {
    command.exitOverride().configureOutput({ outputError: () => undefined });
  }
  return program;
}

/** Help and version also end as exceptions, with status 0. */
function finish(error: unknown, reporting: Reporting): number {
  if (error instanceof CommanderError && error.exitCode === 0) return 0;
  const told = error instanceof CommanderError ? fromCommander(error) : error;
  reportError(told, reporting);
  return statusOf(told);
}

/** Known before arguments are parsed, since parsing them may be what fails. */
function reportingOf(args: readonly string[]): Reporting {
  return { debug: args.includes('--debug'), colour: usesColour(process.stderr) };
}
