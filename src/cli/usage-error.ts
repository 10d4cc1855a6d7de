/** What the exit status says: 1 expected failure, 2 wrong usage, 70 a bug. @see sysexits(3), EX_SOFTWARE */
import type { CommanderError } from 'commander';
import { PhylloError } from '../index.ts';

const FAILURE = 1;
const USAGE = 2;
const BUG = 70;

/** An expected failure whose reason is how the command was called. */
export class UsageError extends PhylloError {}

export function usageError(message: string, hint?: string): UsageError {
  return new UsageError('USAGE_INVALID', message, hint === undefined ? {} : { hint });
}

/** Runs `read` over arguments: what it finds wrong is wrong usage. */
export function readingArguments<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof PhylloError)) throw error;
    throw new UsageError(error.code, error.message, {
      ...(error.hint === undefined ? {} : { hint: error.hint }),
      cause: error,
    });
  }
}

/** commander's message about `command` in our form; its suggestion becomes the hint. */
export function fromCommander(error: CommanderError, command: string): UsageError {
  const [first = '', suggestion] = error.message.replace(/^error: /, '').split('\n');
  const hint = suggestion?.replace(/^\(Did (.*)\)$/, 'did $1');
  return usageError(
    first === '(outputHelp)' ? 'no command was given' : first,
    hint ?? `\`${command} --help\` shows options and examples`,
  );
}

export function statusOf(error: unknown): number {
  if (error instanceof UsageError) return USAGE;
  return error instanceof PhylloError ? FAILURE : BUG;
}
