/** All commands with their options: one source for what is parsed, helped with, completed and described in the manual. */
import { Command } from 'commander';
import { buildCommand } from './build-command.ts';
import { cacheCommand } from './cache-command.ts';
import { closureCommand } from './closure-command.ts';
import { completionCommand } from './completion-command.ts';
import { copyCommand, mergeCommand } from './copy-command.ts';
import { customiseCommand } from './customise-command.ts';
import { diffCommand } from './diff-command.ts';
import { dockerToolsCommand } from './dockertools-command.ts';
import { type Example, EXAMPLES } from './examples.ts';
import { indexCommand } from './index-command.ts';
import { initCommand } from './init-command.ts';
import { inspectCommand } from './inspect-command.ts';
import { loginCommand, logoutCommand } from './login-command.ts';
import { planCommand } from './plan-command.ts';
import { reportCommand } from './report-command.ts';
import { sbomCommand } from './sbom-command.ts';
import { fromCommander } from './usage-error.ts';
import { version } from './version.ts';

/** Parsing it throws what is wrong as a UsageError; help and version end it with a CommanderError of status 0. */
export function createProgram(signal: AbortSignal): Command {
  const program: Command = new Command('phyllo')
    .description('Many-layered, bit-for-bit reproducible container images from a closure of Nix store paths.')
    .version(version())
    .commandsGroup('Images from store paths:')
    .addCommand(initCommand(signal))
    .addCommand(buildCommand(signal))
    .addCommand(planCommand())
    .addCommand(closureCommand(signal))
    .addCommand(customiseCommand(signal))
    .addCommand(dockerToolsCommand(signal))
    .commandsGroup('Images that are there:')
    .addCommand(inspectCommand(signal))
    .addCommand(sbomCommand(signal))
    .addCommand(diffCommand(signal))
    .addCommand(reportCommand(signal))
    .addCommand(copyCommand(signal))
    .addCommand(mergeCommand(signal))
    .addCommand(indexCommand(signal))
    .commandsGroup('Registries:')
    .addCommand(loginCommand(signal))
    .addCommand(logoutCommand())
    .commandsGroup('Phyllo itself:')
    .addCommand(cacheCommand())
    .addCommand(completionCommand(() => program))
    .helpCommand('help [command]', 'Show options and examples of a command.')
    .addHelpText('after', '\nOptions and examples of a command: phyllo help COMMAND');
  for (const command of withSubcommands(program)) prepare(command);
  return program;
}

/** The command and all below it. */
export function withSubcommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap(withSubcommands)];
}

/** `phyllo cache prune`. */
export function fullName(command: Command): string {
  return command.parent === null ? command.name() : `${fullName(command.parent)} ${command.name()}`;
}

export function examplesOf(command: Command): readonly Example[] {
  return EXAMPLES[fullName(command).replace(/^phyllo ?/, '')] ?? [];
}

function prepare(command: Command): void {
  const examples = examplesOf(command).flatMap(({ purpose, line }) => [`  # ${purpose}`, `  ${line}`]);
  command
    .configureOutput({ outputError: () => undefined })
    .addHelpText('after', examples.length === 0 ? '' : `\nExamples:\n${examples.join('\n')}`)
    .exitOverride((error) => {
      throw error.exitCode === 0 ? error : fromCommander(error, fullName(command));
    });
}
