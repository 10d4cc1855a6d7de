/** `phyllo index create IMAGE... --to DESTINATION` */
import { Command } from 'commander';
import {
  createIndex,
  type CreatedIndex,
  describeSize,
  type IndexAnnotations,
  parseDestination,
} from '../index.ts';
import { SOURCES, withImages } from './image-options.ts';
import { print, printJson, say } from './output.ts';
import { addRegistryOptions, collect, type RegistryFlags } from './registry-options.ts';
import { readingArguments, usageError } from './usage-error.ts';

interface CreateFlags extends RegistryFlags {
  readonly to: string;
  readonly annotation?: readonly string[];
  readonly json?: true;
  readonly quiet?: true;
  readonly debug?: true;
}

export function indexCommand(signal: AbortSignal): Command {
  const command = new Command('index').description('Images for several platforms under one name.');
  const create = command
    .command('create')
    .description('Bring images for several platforms to one place, and make an index of them.')
    .argument('<IMAGE...>', SOURCES)
    .requiredOption('--to <destination>', 'docker://NAME[:TAG] or oci:DIR[:NAME:TAG]')
    .option(
      '--annotation <[where:]name=value>',
      "of the index, or with manifest: or descriptor: of each image's; may be repeated",
      collect,
    );
  addRegistryOptions(create)
    .option('--json', 'print what was made as one JSON document on stdout')
    .option('--quiet', 'say nothing but errors')
    .option('--debug', 'show the stack of an error')
    .action((images: readonly string[], flags: CreateFlags) => run(images, { flags, signal }));
  return command;
}

async function run(
  sources: readonly string[],
  { flags, signal }: { readonly flags: CreateFlags; readonly signal: AbortSignal },
): Promise<void> {
  const to = readingArguments(() => parseDestination(flags.to));
  const annotations = readAnnotations(flags.annotation ?? []);
  await withImages(sources, {
    flags,
    signal,
    destination: flags.to,
    // Of an index the one for this machine is not what whoever makes another index means.
    preferred: {},
    async use(images, registries) {
      const created = await createIndex(images, { to, annotations, registries, signal });
      if (flags.json === true) printJson(created);
      else print(`${created.descriptor.digest}\n`);
      if (flags.quiet !== true) say(describe(created, images.length));
    },
  });
}

function readAnnotations(texts: readonly string[]): IndexAnnotations {
  const read = { index: {}, manifest: {}, descriptor: {} };
  for (const text of texts) {
    const [, where = 'index', name, value = ''] =
      /^(?:(index|manifest|descriptor):)?([^=]+)=(.*)$/s.exec(text) ?? [];
    if (name === undefined)
      throw usageError(
        `not an annotation: ${JSON.stringify(text)}`,
        'write NAME=VALUE, manifest:NAME=VALUE or descriptor:NAME=VALUE',
      );
    Object.assign(read[where as keyof typeof read], { [name]: value });
  }
  return read;
}

function describe(
  { name = 'index', descriptor, present, mounted, sent, bytesSent }: CreatedIndex,
  count: number,
): string {
  const moved = `${present} blobs were there, ${mounted} mounted, ${sent} sent (${describeSize(bytesSent)})`;
  return `${name}@${descriptor.digest}: ${count} images${name === 'index' ? '' : `, ${moved}`}`;
}
