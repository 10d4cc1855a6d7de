/** Says on standard error what failed, why, and what to do. */
import { styleText } from 'node:util';
import { PhylloError } from '../index.ts';

export interface Reporting {
  /** Whether to show the stack. */
  readonly debug: boolean;
  readonly colour: boolean;
}

export function reportError(error: unknown, reporting: Reporting): void {
  const lines = error instanceof PhylloError ? expected(error, reporting) : unexpected(error, reporting);
  process.stderr.write(lines.map((line) => `${line}\n`).join(''));
}

export function reportWarning(text: string, { colour }: Pick<Reporting, 'colour'>): void {
  process.stderr.write(`${paint('yellow', 'warning:', colour)} ${text}\n`);
}

function expected(error: PhylloError, { debug, colour }: Reporting): string[] {
  return [
    `${paint('red', 'error:', colour)} ${error.message} [${error.code}]`,
    ...(error.hint === undefined ? [] : [`${paint('cyan', 'hint:', colour)} ${error.hint}`]),
    ...(debug ? [stackOf(error)] : []),
  ];
}

function unexpected(error: unknown, { debug, colour }: Reporting): string[] {
  return [
    `${paint('red', 'error:', colour)} ${error instanceof Error ? error.message : String(error)} [BUG]`,
    `${paint('cyan', 'hint:', colour)} this is a bug in phyllo; run again with --debug and report what it prints`,
    ...(debug ? [stackOf(error)] : []),
  ];
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const own = error.stack ?? error.message;
  return error.cause === undefined ? own : `${own}\ncaused by: ${stackOf(error.cause)}`;
}

function paint(style: 'red' | 'yellow' | 'cyan', text: string, colour: boolean): string {
  return colour ? styleText(style, text, { validateStream: false }) : text;
}
