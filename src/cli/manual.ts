/** The manual, made of the program's own descriptions. @see man(7) */
import type { Argument, Command, Option } from 'commander';
import { ENVIRONMENT } from './environment.ts';
import { examplesOf, fullName } from './program.ts';
import { version } from './version.ts';

export interface ManualPage {
  /** `phyllo-build.1`. */
  readonly file: string;
  readonly text: string;
}

/** One page for the program, and one for each command. */
export function manualPages(program: Command): ManualPage[] {
  return [program, ...program.commands].map((command) => {
    const lines = [
      ...opening(command),
      ...body(command),
      ...(command === program ? generalSections() : seeAlso(program)),
    ];
    return { file: `${pageName(command)}.1`, text: `${lines.join('\n')}\n` };
  });
}

function opening(command: Command): string[] {
  const name = pageName(command);
  const [summary] = command.description().split('. ');
  return [
    `.TH ${escape(name.toUpperCase())} 1 "" "phyllo ${version()}" "Phyllo"`,
    '.SH NAME',
    `${escape(name)} \\- ${escape((summary ?? '').replace(/\.$/, ''))}`,
    '.SH SYNOPSIS',
    ...synopsis(command),
    '.SH DESCRIPTION',
    escape(command.description()),
  ];
}

function body(command: Command): string[] {
  const help = command.createHelp();
  const sub = help.visibleCommands(command).filter((each) => each.name() !== 'help');
  const isProgram = command.parent === null;
  return [
    ...section('ARGUMENTS', command.registeredArguments.flatMap(describeArgument)),
    ...section('COMMANDS', isProgram ? sub.flatMap(describeCommand) : sub.flatMap(describeSubcommand)),
    ...section('OPTIONS', describeOptions(command)),
    ...section('EXAMPLES', [command, ...(isProgram ? [] : sub)].flatMap(describeExamples)),
  ];
}

function synopsis(command: Command): string[] {
  const words = command.registeredArguments.map((argument) => {
    const name = `${italic(argument.name())}${argument.variadic ? '...' : ''}`;
    return argument.required ? name : `[${name}]`;
  });
  const rest = command.parent === null ? [italic('command'), '...'] : words;
  return [`${bold(fullName(command))} [${italic('options')}] ${rest.join(' ')}`.trimEnd()];
}

function describeArgument(argument: Argument): string[] {
  return item(italic(argument.name()), argument.description);
}

function describeCommand(command: Command): string[] {
  return item(`\\fB${escape(pageName(command))}\\fR(1)`, command.description());
}

function describeSubcommand(command: Command): string[] {
  return [
    ...synopsis(command).flatMap((line) => ['.TP', line]),
    escape(command.description()),
    ...nested(describeOptions(command)),
  ];
}

function describeOptions(command: Command): string[] {
  const help = command.createHelp();
  const options = help.visibleOptions(command);
  // Below a subcommand there is no place for headings.
  if (isSubcommand(command)) return options.flatMap(describeOption);
  const headingOf = ({ helpGroupHeading }: Option): string => helpGroupHeading ?? 'Options:';
  const groups = help.groupItems([...command.options], options, headingOf);
  return [...groups].flatMap(([heading, group]) => [
    ...(groups.size === 1 ? [] : [`.SS ${escape(heading.replace(/:$/, ''))}`]),
    ...group.flatMap(describeOption),
  ]);
}

function isSubcommand({ parent }: Command): boolean {
  return parent !== null && parent.parent !== null;
}

function describeOption(option: Option): string[] {
  const { flags, description, argChoices, defaultValueDescription } = option;
  const defaultValue: unknown = option.defaultValue;
  const names = flags
    .replace(/[<[].*$/, '')
    .trim()
    .split(', ')
    .map(bold)
    .join(', ');
  const [, placeholder] = /<(.*)>/.exec(flags) ?? [];
  const byDefault = defaultValueDescription ?? (typeof defaultValue === 'string' ? defaultValue : undefined);
  const notes = [
    ...(argChoices === undefined ? [] : [`one of ${argChoices.join(', ')}`]),
    ...(byDefault === undefined ? [] : [`default: ${byDefault}`]),
  ];
  const text = `${description}${notes.length === 0 ? '' : ` (${notes.join('; ')})`}`;
  return item(placeholder === undefined ? names : `${names} ${italic(placeholder)}`, text);
}

function describeExamples(command: Command): string[] {
  return examplesOf(command).flatMap(({ purpose, line }) => [
    '.TP',
    `${escape(purpose)}:`,
    `.nf`,
    escape(line),
    '.fi',
  ]);
}

function generalSections(): string[] {
  return [
    ...section('EXIT STATUS', [
      ...item('0', 'Done.'),
      ...item(
        '1',
        'An expected failure. The message ends with its code in brackets, which docs/errors.md explains.',
      ),
      ...item('2', 'Wrong usage.'),
      ...item('70', 'A bug of phyllo.'),
    ]),
    ...section(
      'ENVIRONMENT',
      Object.entries(ENVIRONMENT).flatMap(([name, meaning]) => item(bold(name), meaning)),
    ),
    ...section('FILES', [
      ...item(italic('~/.cache/phyllo/digests.sqlite'), 'The digest cache.'),
      ...item(italic('~/.cache/phyllo/narinfos.sqlite'), 'What binary caches answered.'),
    ]),
  ];
}

function seeAlso(program: Command): string[] {
  return ['.SH SEE ALSO', `\\fB${escape(pageName(program))}\\fR(1)`];
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [`.SH ${title}`, ...lines];
}

function nested(lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['.RS', ...lines, '.RE'];
}

function item(term: string, text: string): string[] {
  return ['.TP', term, escape(text)];
}

function pageName(command: Command): string {
  return fullName(command).replaceAll(' ', '-');
}

function bold(text: string): string {
  return `\\fB${escape(text)}\\fR`;
}

function italic(text: string): string {
  return `\\fI${escape(text)}\\fR`;
}

/** A line that begins with a dot or an apostrophe would be a request. */
function escape(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('~', '\\(ti')
    .replace(/^(?=[.'])/, '\\&');
}
