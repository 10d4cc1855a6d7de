/** `phyllo completion bash|zsh|fish` */
import { Argument, Command } from 'commander';
import { completionScript, type Shell, SHELLS } from './completion-script.ts';
import { print } from './output.ts';

/** `program`: what is completed, known when the command runs. */
export function completionCommand(program: () => Command): Command {
  return new Command('completion')
    .description('Print a script that makes a shell complete commands, options, values and store paths.')
    .addArgument(new Argument('<SHELL>', 'bash, zsh or fish').choices(SHELLS))
    .action((shell: Shell) => print(completionScript(shell, program())));
}
