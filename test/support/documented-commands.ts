/**
 * Finds `phyllo …` command lines in Markdown and checks them as the command itself does, without running anything.
 *
 * A line is what stands in an indented or fenced block, or in backticks. What follows two spaces, or ` # `, explains it. `[…]` is
 * optional, `a|b` is a choice, `…` and `...` stand for anything.
 */
import { createProgram, withSubcommands } from '../../src/cli/program.ts';

export interface DocumentedCommand {
  readonly place: string;
  readonly line: string;
  /** In a sentence a command may be named without all that it needs. */
  readonly isMention: boolean;
}

/** What is wrong with a command line, or undefined. */
export function problemOf(line: string, { isMention = false } = {}): string | undefined {
  const words = wordsOf(line);
  const program = createProgram(new AbortController().signal);
  for (const command of withSubcommands(program)) {
    command.configureOutput({ writeOut: () => undefined, writeErr: () => undefined });
    if (command.commands.length === 0) command.action(() => undefined);
  }
  try {
    program.parse(words, { from: 'user' });
    return undefined;
  } catch (error) {
    const { message, exitCode } = error as { readonly message: string; readonly exitCode?: number };
    const isIncomplete = /^required option|missing required argument|argument missing|no command/.test(
      message,
    );
    const mayBeIncomplete = isMention || words.includes(ANYTHING);
    return exitCode === 0 || (isIncomplete && mayBeIncomplete) ? undefined : message;
  }
}

/** Of one text: in blocks of shell (indented, or fenced as nothing or sh) and in backticks. */
export function commandsIn(markdown: string, file: string): DocumentedCommand[] {
  const lines = markdown.replaceAll(/\\\n\s*/g, (end) => ' '.repeat(end.length - 1)).split('\n');
  let fence: string | undefined;
  return lines.flatMap((text, i) => {
    const [, info] = /^\s*```(.*)/.exec(text) ?? [];
    if (info !== undefined) fence = fence === undefined ? info : undefined;
    const isBlock = fence === undefined ? /^ {4}/.test(text) : /^(sh\b|$)/.test(fence);
    const spans =
      fence === undefined ? [...text.matchAll(/`([^`]+)`/g)].map((match) => match[1] as string) : [];
    const place = `${file}:${i + 1}`;
    return (isBlock ? [text.trim()] : spans)
      .flatMap(phylloCommands)
      .map((line) => ({ place, line, isMention: !isBlock }));
  });
}

/** The contents of the blocks that a test runs. */
export function blocksToRun(markdown: string): string[] {
  return [...markdown.matchAll(/^```sh run\n(.*?)^```$/gms)].map((match) => match[1] as string);
}

/** Every `--option` in backticks that does not belong to a whole command line of phyllo or of another program. */
export function optionsIn(markdown: string): string[] {
  return [...markdown.matchAll(/`(--[a-z][a-z_-]*)/g)].map((match) => match[1] as string);
}

export function knownOptions(): ReadonlySet<string> {
  const commands = withSubcommands(createProgram(new AbortController().signal));
  return new Set(['--help', ...commands.flatMap(({ options }) => options.map(({ long }) => long ?? ''))]);
}

const ANYTHING = '…';

/** The parts of a line of shell that call phyllo. */
function phylloCommands(line: string): string[] {
  const code = line.replace(/(\s# |\s{2,}).*$/, '');
  return code.split(/ (?:\||\|\||&&|;|>|2>|<) |^\$ /).flatMap((part) => {
    const [, rest] = /^(?:.*[ (])?(?:npx )?phyllo (.*)$/.exec(part.trim()) ?? [];
    return rest !== undefined && /^[a-z-]+( |$)/.test(rest) ? [rest.trim()] : [];
  });
}

function wordsOf(line: string): string[] {
  const words = line.match(/(?:[^\s'"$]|\$\([^)]*\)|\$|'[^']*'|"[^"]*")+/g) ?? [];
  return words
    .map((word) => word.replaceAll(/^'(.*)'$|^"(.*)"$/g, '$1$2'))
    .map((word) => (/^\[.*\]?$|^[^[]*\]$/.test(word) ? word.replaceAll(/[[\]]/g, '') : word))
    .map((word) => (/^[\w-]+(\|[\w-]+)+$/.test(word) ? (word.split('|')[0] as string) : word))
    .map((word) => (word === '...' ? ANYTHING : word));
}
