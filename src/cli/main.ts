/** The command: arguments in, exit status out. Only `cli/` prints, reads the environment and exits. */
import { CommanderError } from 'commander';
import { outputError } from '../index.ts';
import { createProgram } from './program.ts';
import { usesColour } from './output.ts';
import { reportError, type Reporting } from './report-error.ts';
import { silenceExperimentalWarnings } from './experimental-warnings.ts';
import { stopOnSignals } from './signals.ts';
import { statusOf } from './usage-error.ts';

void main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<void> {
  silenceExperimentalWarnings();
  const reporting = reportingOf(args);
  process.stdout.on('error', (error: Error) => outputFailed(error, reporting));
  const signals = stopOnSignals();
  try {
    await createProgram(signals.signal).parseAsync([...args], { from: 'user' });
  } catch (error) {
    signals.raise();
    fail(error, reporting);
  } finally {
    signals.release();
  }
}

/** Who reads `phyllo … | head` has what they wanted. Archives notice by themselves when their reader goes away. */
function outputFailed(error: Error & { readonly code?: string }, reporting: Reporting): void {
  if (error.code !== 'EPIPE') fail(outputError(error), reporting);
}

/** Once: a failed write may be seen by the stream and by whoever writes. Help and version also end as exceptions, with status 0. */
function fail(error: unknown, reporting: Reporting): void {
  if (process.exitCode !== undefined) return;
  const isHelp = error instanceof CommanderError && error.exitCode === 0;
  if (!isHelp) reportError(error, reporting);
  process.exitCode = isHelp ? 0 : statusOf(error);
}

/** Known before arguments are parsed, since parsing them may be what fails. */
function reportingOf(args: readonly string[]): Reporting {
  return { debug: args.includes('--debug'), colour: usesColour(process.stderr) };
}
