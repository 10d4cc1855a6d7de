/** Flags of commands that talk to registries. */
import type { Command } from 'commander';
import {
  authenticateWith,
  type ExplicitCredentials,
  isRegistryImage,
  Registries,
  registryOf,
} from '../index.ts';
import { authFiles } from './auth-files.ts';
import { readTextFile } from './description-file.ts';
import { networkSettings } from './network.ts';
import { readingArguments, usageError } from './usage-error.ts';

export interface RegistryFlags {
  readonly creds?: readonly string[];
  readonly insecureRegistry?: readonly string[];
}

export function addRegistryOptions(command: Command): Command {
  command
    .optionsGroup('Registries:')
    .option(
      '--creds <credentials>',
      'for a registry: [HOST=]USER:PASSWORD, or @FILE that holds it; may be repeated',
      collect,
    );
  return addInsecureOption(command).optionsGroup('Options:');
}

export function addInsecureOption(command: Command): Command {
  return command.option(
    '--insecure-registry <host>',
    'a registry that may be talked to over plain http; may be repeated',
    collect,
  );
}

/**
 * The caller closes them.
 * @param images sources and destinations, those of registries among them
 * @throws UsageError
 */
export function openRegistries(
  { creds = [], insecureRegistry = [] }: RegistryFlags,
  images: readonly (string | undefined | null)[],
): Registries {
  const explicit = creds.map(readCredentials);
  if (explicit.some(({ host }) => host === undefined)) requireOneRegistry(images);
  return new Registries({
    network: networkSettings(),
    insecure: insecureRegistry,
    authenticator: authenticateWith({ explicit, files: authFiles() }),
  });
}

/** What goes before `=` is a host when it looks like one: passwords may have that character, too. */
function readCredentials(text: string): ExplicitCredentials {
  const line = text.startsWith('@') ? readTextFile(text.slice(1)).replace(/\r?\n$/, '') : text;
  const [, host] = /^((?:[a-z0-9-]+(?:\.[a-z0-9-]+)+|localhost|\[[0-9a-f:]+\])(?::\d+)?)=/i.exec(line) ?? [];
  const rest = host === undefined ? line : line.slice(host.length + 1);
  const colon = rest.indexOf(':');
  if (colon < 1)
    throw usageError(
      '--creds has no user name and password',
      'give USER:PASSWORD, or HOST=USER:PASSWORD; @FILE keeps them out of the list of processes',
    );
  const credentials = {
    kind: 'password',
    user: rest.slice(0, colon),
    password: rest.slice(colon + 1),
  } as const;
  return { host, credentials };
}

/** Nobody's password goes to a registry that it is not meant for. */
function requireOneRegistry(images: readonly (string | undefined | null)[]): void {
  const hosts = new Set(
    readingArguments(() =>
      images.flatMap((image) => (image && isRegistryImage(image) ? registryOf(image) : [])),
    ),
  );
  if (hosts.size > 1)
    throw usageError(
      `--creds does not say for which registry: ${[...hosts].join(', ')}`,
      'write HOST=USER:PASSWORD',
    );
}

/** For options that may be repeated. */
export function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}
