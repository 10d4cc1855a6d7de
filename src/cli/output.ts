/** What the command says: documents on stdout, everything for people on stderr. */
import { reportWarning } from './report-error.ts';

export function printJson(document: unknown): void {
  process.stdout.write(`${JSON.stringify(document, undefined, 2)}\n`);
}

export function print(text: string): void {
  process.stdout.write(text);
}

export function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

export function warn(text: string): void {
  reportWarning(text, { colour: usesColour(process.stderr) });
}

/** @see https://no-color.org */
export function usesColour(stream: NodeJS.WriteStream): boolean {
  return stream.isTTY && (process.env['NO_COLOR'] ?? '') === '';
}
