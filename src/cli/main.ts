/** The command: arguments in, exit status out. Only `cli/` prints, reads the environment and exits. */
import { CommanderError } from 'commander';
import { createProgram } from './program.ts';
import { usesColour } from './output.ts';
import { reportError, type Reporting } from './report-error.ts';
import { silenceExperimentalWarnings } from './experimental-warnings.ts';
import { stopOnSignals } from './signals.ts';
import { statusOf } from './usage-error.ts';

void main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<void> {
  silenceExperimentalWarnings();
  process.stdout.on('error', ignoreClosedPipe);
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

/** Who reads `phyllo … | head` has what they wanted. Archives notice by themselves when their reader goes away. */
function ignoreClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
}

/** Help and version also end as exceptions, with status 0. */
function finish(error: unknown, reporting: Reporting): number {
  if (error instanceof CommanderError && error.exitCode === 0) return 0;
  reportError(error, reporting);
  return statusOf(error);
}

/** Known before arguments are parsed, since parsing them may be what fails. */
function reportingOf(args: readonly string[]): Reporting {
  return { debug: args.includes('--debug'), colour: usesColour(process.stderr) };
}
