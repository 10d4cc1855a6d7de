/** `phyllo init STOREPATH` */
import { existsSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { Command, Option } from 'commander';
import { describeInitially, PhylloError, reasonOf, resolveTypedPath, type StorePath } from '../index.ts';
import { resolveStore } from './description-file.ts';
import { say } from './output.ts';
import {
  addStoreOptions,
  joined,
  openUserStore,
  resolveInstallables,
  STORE_HEADING,
  type StoreFlags,
} from './store-options.ts';
import { usageError } from './usage-error.ts';

interface InitFlags extends StoreFlags {
  readonly store?: string;
  readonly output: string;
  readonly quiet?: true;
  readonly debug?: true;
}

export function initCommand(signal: AbortSignal): Command {
  const command = new Command('init')
    .description('Write an IMAGE.json for a store path, with comments, to begin with.')
    .argument(
      '[STOREPATH...]',
      'store paths: whole, their hash parts, or HASH-NAME; the first names the image',
    )
    .option('--output <file>', 'the file to write, which must not be there', 'image.json')
    .addOption(
      new Option(
        '--store <where>',
        'auto, another root directory, or binary caches: file://DIR, https://CACHE',
      )
        .argParser(joined)
        .helpGroup(STORE_HEADING),
    );
  return addStoreOptions(command)
    .option('--quiet', 'say nothing but errors')
    .option('--debug', 'show the stack of an error')
    .action((texts: readonly string[], flags: InitFlags) => init(texts, flags, signal));
}

async function init(texts: readonly string[], flags: InitFlags, signal: AbortSignal): Promise<void> {
  const { output } = flags;
  // Before anything is fetched; the writing itself checks again.
  if (existsSync(output)) throw existing(output);
  const wanted = [...texts, ...(await resolveInstallables(flags, signal))];
  const store = await openUserStore({ store: flags.store ?? 'auto' }, flags);
  try {
    const [first, ...others] = await Promise.all(wanted.map((text) => resolveTypedPath(text, store)));
    if (first === undefined) throw usageError('no store path was given');
    const paths: [StorePath, ...StorePath[]] = [first, ...others];
    const options = { store, place: placeFor(flags), schema: findSchema(dirname(resolve(output))) };
    const { name, command, text } = await describeInitially(paths, options);
    write(output, text);
    if (flags.quiet === true) return;
    say(
      `${output}: ${name}, ${command === undefined ? 'which program it starts is for you to say' : `starts ${command}`}`,
    );
    say(`build it: phyllo build ${output} --to docker-archive:${name}.tar`);
  } finally {
    store.close();
  }
}

function write(file: string, text: string): void {
  try {
    writeFileSync(file, text, { flag: 'wx' });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') throw existing(file);
    throw new PhylloError('DESTINATION_UNWRITABLE', `cannot write ${file}: ${reasonOf(cause)}`, { cause });
  }
}

function existing(file: string): PhylloError {
  return new PhylloError('DESTINATION_UNWRITABLE', `${file} is there already`, {
    hint: 'nothing is overwritten: remove it, or name another file with --output',
  });
}

/** Flags are relative to the current directory, fields to their file. */
function placeFor({ store, output }: InitFlags): string | undefined {
  if (store === undefined || store === 'auto') return undefined;
  return dirname(resolve(output)) === process.cwd() ? store : resolveStore(store, process.cwd());
}

const SCHEMA = 'node_modules/phyllo/schema/image.schema.json';

/** The schema of the phyllo that is installed in the directory or above it, as npm looks for packages. */
function findSchema(directory: string, from = directory): string | undefined {
  if (existsSync(join(directory, SCHEMA))) return relative(from, join(directory, SCHEMA));
  const above = dirname(directory);
  return above === directory ? undefined : findSchema(above, from);
}
