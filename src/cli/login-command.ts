/** `phyllo login HOST` and `phyllo logout HOST` */
import { text } from 'node:stream/consumers';
import { Command } from 'commander';
import {
  checkCredentials,
  findCredentials,
  forgetCredentials,
  keepCredentials,
  parseRegistryHost,
} from '../index.ts';
import { authFiles, ownAuthFile } from './auth-files.ts';
import { networkSettings } from './network.ts';
import { say, warn } from './output.ts';
import { ask, askSecretly } from './prompt.ts';
import { addInsecureOption, type RegistryFlags } from './registry-options.ts';
import { readingArguments, usageError } from './usage-error.ts';

interface LoginFlags extends Pick<RegistryFlags, 'insecureRegistry'> {
  readonly username?: string;
  readonly passwordStdin?: true;
  readonly authfile?: string;
  readonly debug?: true;
}

type LogoutFlags = Pick<LoginFlags, 'authfile' | 'debug'>;

const AUTHFILE = [
  '--authfile <file>',
  "file of credentials (default: $REGISTRY_AUTH_FILE, else docker's)",
] as const;

export function loginCommand(signal: AbortSignal): Command {
  const command = new Command('login')
    .description('Keep a user name and password for a registry, where docker looks for them, too.')
    .argument('<HOST>', 'the registry: docker.io, ghcr.io, registry.example:5000')
    .option('-u, --username <name>', 'user name; asked for on a terminal')
    .option(
      '--password-stdin',
      'read the password from the standard input; asked for on a terminal otherwise',
    )
    .option(...AUTHFILE);
  return addInsecureOption(command)
    .option('--debug', 'show the stack of an error')
    .action((host: string, flags: LoginFlags) => login(host, flags, signal));
}

export function logoutCommand(): Command {
  return new Command('logout')
    .description('Forget the user name and password for a registry.')
    .argument('<HOST>', 'the registry')
    .option(...AUTHFILE)
    .option('--debug', 'show the stack of an error')
    .action(logout);
}

async function login(text: string, flags: LoginFlags, signal: AbortSignal): Promise<void> {
  const host = readingArguments(() => parseRegistryHost(text));
  const user = flags.username ?? (await askUser(flags, signal));
  const password = await readPassword(flags, signal);
  if (user === '' || password === '') throw usageError('the user name or the password is empty');
  const credentials = { kind: 'password', user, password } as const;
  const insecure = flags.insecureRegistry ?? [];
  await checkCredentials(credentials, { host, insecure, network: networkSettings(), signal });
  const keeper = await keepCredentials(flags.authfile ?? ownAuthFile(), { host, credentials });
  say(`logged in to ${host} as ${user}; kept in ${keeper}`);
}

async function askUser({ passwordStdin }: LoginFlags, signal: AbortSignal): Promise<string> {
  if (passwordStdin === true || !process.stdin.isTTY)
    throw usageError('no user name was given', 'give it with --username');
  return await ask('User name: ', signal);
}

async function readPassword({ passwordStdin }: LoginFlags, signal: AbortSignal): Promise<string> {
  if (passwordStdin === true) return (await text(process.stdin)).replace(/\r?\n$/, '');
  if (process.stdin.isTTY) return await askSecretly('Password: ', signal);
  throw usageError('no password was given', 'give it on the standard input, with --password-stdin');
}

async function logout(text: string, { authfile }: LogoutFlags): Promise<void> {
  const host = readingArguments(() => parseRegistryHost(text));
  const path = authfile ?? ownAuthFile();
  const isForgotten = await forgetCredentials(path, host);
  say(isForgotten ? `logged out of ${host}` : `${path} has nothing for ${host}`);
  for (const other of authFiles().filter((file) => file !== path))
    if ((await findCredentials({ host }, { files: [other] })) !== undefined)
      warn(`${other} still has credentials for ${host}`);
}
