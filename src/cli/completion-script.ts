/**
 * Completion for shells: the files in completions/ know how each shell completes, and get tables of commands, options and values here.
 * Everything is in the script, so that no program starts when somebody presses the key: starting phyllo takes longer than people wait.
 */
import { readFileSync } from 'node:fs';
import type { Command, Option } from 'commander';
import { withSubcommands } from './program.ts';
import { completionOfArgument, completionOfOption } from './value-completions.ts';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

export function completionScript(shell: Shell, program: Command): string {
  const commands = [...withSubcommands(program).map(described), helpOf(program)];
  const tables = shell === 'fish' ? fishTables(commands) : shTables(commands);
  return read(`phyllo.${shell}`)
    .replace('# @walk@\n', () => read('walk.sh'))
    .replace('# @tables@\n', () => tables);
}

function read(file: string): string {
  return readFileSync(new URL(`../../completions/${file}`, import.meta.url), 'utf8');
}

interface Named {
  readonly name: string;
  readonly description: string;
}

interface CompletedCommand {
  /** Without `phyllo`: `cache prune`. */
  readonly name: string;
  readonly commands: readonly Named[];
  readonly options: readonly Named[];
  /** What each argument may be. */
  readonly arguments: readonly string[];
  /** Whether the last one may come several times. */
  readonly repeats: boolean;
  readonly values: readonly OptionValue[];
}

/** Of all options that take the same. */
interface OptionValue {
  readonly names: readonly string[];
  readonly takes: 'one' | 'many';
  readonly spec: string;
}

function described(command: Command): CompletedCommand {
  const help = command.createHelp();
  const options = help.visibleOptions(command);
  return {
    name: pathOf(command).join(' '),
    commands: help
      .visibleCommands(command)
      .map((sub) => ({ name: sub.name(), description: sub.description() })),
    options: options.map(({ long, description }) => ({ name: long ?? '', description })),
    arguments: command.registeredArguments.map(completionOfArgument),
    repeats: command.registeredArguments.at(-1)?.variadic === true,
    values: valuesOf(options.filter(({ required, optional }) => required || optional)),
  };
}

/** commander makes this command when it is called. */
function helpOf(program: Command): CompletedCommand {
  const { commands } = described(program);
  return { name: 'help', commands, options: [], arguments: [], repeats: false, values: [] };
}

function pathOf(command: Command): string[] {
  return command.parent === null ? [] : [...pathOf(command.parent), command.name()];
}

function valuesOf(options: readonly Option[]): OptionValue[] {
  const groups = Map.groupBy(options, (option) => `${option.variadic} ${completionOfOption(option)}`);
  return [...groups.values()].map((group) => {
    const first = group[0] as Option;
    const names = group.flatMap(({ long, short }) => [long, short].filter((name) => name !== undefined));
    return { names, takes: first.variadic ? 'many' : 'one', spec: completionOfOption(first) };
  });
}

/** For bash and zsh. */
function shTables(commands: readonly CompletedCommand[]): string {
  const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
  const list = (names: readonly Named[]): string =>
    names.map(({ name, description }) => quote(`${name}:${description}`)).join(' ');
  const table = commands.flatMap((command) => [
    `    ${quote(command.name)})`,
    `      commands=(${list(command.commands)})`,
    `      options=(${list(command.options)})`,
    `      arguments=(${command.arguments.map(quote).join(' ')}) repeats=${command.repeats ? 1 : ''}`,
    '      ;;',
  ]);
  const values = commands.flatMap(({ name, values }) =>
    values.map(({ names, takes, spec }) => {
      const patterns = names.map((option) => quote(`${name} ${option}`)).join(' | ');
      return `    ${patterns}) takes=${takes} spec=${quote(spec)} ;;`;
    }),
  );
  return [
    ...['_phyllo_command() {', '  case $1 in', ...table, '    *) return 1 ;;', '  esac', '}', ''],
    ...[
      '_phyllo_option() {',
      '  case "$1 $2" in',
      ...values,
      "    *) takes='' spec=''; return 1 ;;",
      '  esac',
      '}',
      '',
    ],
  ].join('\n');
}

function fishTables(commands: readonly CompletedCommand[]): string {
  const quote = (text: string): string => `'${text.replaceAll(/[\\']/g, '\\$&')}'`;
  const list = (names: readonly Named[]): string =>
    names.map(({ name, description }) => ` ${quote(`${name}\t${description}`)}`).join('');
  const table = commands.flatMap((command) => [
    `        case ${quote(command.name)}`,
    `            set commands${list(command.commands)}`,
    `            set options${list(command.options)}`,
    `            set arguments${command.arguments.map((spec) => ` ${quote(spec)}`).join('')}`,
    `            set repeats${command.repeats ? ' 1' : ''}`,
  ]);
  const values = commands.flatMap(({ name, values }) =>
    values.flatMap(({ names, takes, spec }) => [
      `        case ${names.map((option) => quote(`${name} ${option}`)).join(' ')}`,
      `            set takes ${takes}`,
      `            set spec ${quote(spec)}`,
    ]),
  );
  const unknown = ["        case '*'", '            return 1', '    end', '    return 0', 'end', ''];
  return [
    ...['function __phyllo_command --no-scope-shadowing', '    switch "$argv[1]"', ...table, ...unknown],
    ...[
      'function __phyllo_option --no-scope-shadowing',
      "    set takes ''",
      "    set spec ''",
      '    switch "$argv[1] $argv[2]"',
      ...values,
    ],
    ...unknown,
  ].join('\n');
}
