/** `phyllo report IMAGE --output FILE.html` */
import { Command, Option } from 'commander';
import { describeSize, type ReportData, reportImage, type ReportOptions, writeReport } from '../index.ts';
import { hostArchitecture } from './surroundings.ts';
import { addPlatformOptions, type PlatformFlags, SOURCES } from './image-options.ts';
import { printJson, say } from './output.ts';
import { openRegistries } from './registry-options.ts';
import {
  addStoreOptions,
  cacheSettings,
  isCaches,
  joined,
  STORE_HEADING,
  type StoreFlags,
} from './store-options.ts';
import { usageError } from './usage-error.ts';

interface ReportFlags extends PlatformFlags, StoreFlags {
  readonly previous?: string;
  readonly output?: string;
  readonly store?: string;
  readonly graph?: string;
  readonly readLayers?: true;
  readonly json?: true;
  readonly quiet?: true;
  readonly debug?: true;
}

export function reportCommand(signal: AbortSignal): Command {
  const command = new Command('report')
    .description(
      'Make a page that shows an image: its layers and store paths by size, why they are there, and what an update costs.',
    )
    .argument('<IMAGE>', `${SOURCES}; or what plan --json printed`)
    .option('--output <file>', 'the page to write; - is the standard output')
    .option('--previous <image>', 'the image before, to show what changed and what the update costs')
    .option(
      '--read-layers',
      'download layers from a registry where nothing else tells the sizes of store paths',
    );
  return addStoreOptions(addPlatformOptions(command))
    .addOption(
      new Option(
        '--store <where>',
        'store that knows sizes and references of store paths (default: the local one)',
      )
        .argParser(joined)
        .helpGroup(STORE_HEADING),
    )
    .addOption(
      new Option('--graph <file>', 'exported reference graph to use instead of the database').helpGroup(
        STORE_HEADING,
      ),
    )
    .option('--json', "print the page's data as one JSON document")
    .option('--quiet', 'say nothing but errors')
    .option('--debug', 'show the stack of an error')
    .action((source: string, flags: ReportFlags) => report(source, flags, signal));
}

async function report(source: string, flags: ReportFlags, signal: AbortSignal): Promise<void> {
  const { output, previous, json } = flags;
  if (output === undefined && json === undefined)
    throw usageError(
      'no page to write was named',
      'say --output FILE.html, or --output - for the standard output',
    );
  if (output === '-' && json === true)
    throw usageError('--json and --output - both write to stdout', 'leave one of them out');
  await using registries = openRegistries(flags, [source, previous]);
  const data = await reportImage(source, { ...optionsOf(flags), signal, registries });
  if (json === true) printJson(data);
  if (output === undefined) return;
  await writeReport(data, { to: output === '-' ? process.stdout : output, signal });
  if (flags.quiet !== true && output !== '-') say(`${output}: ${summary(data)}`);
}

function optionsOf(flags: ReportFlags): ReportOptions {
  const { architecture, os, variant, store, graph, previous, readLayers = false } = flags;
  return {
    platform: { architecture, os, variant },
    preferred: { architecture: hostArchitecture(), os: 'linux' },
    readLayers,
    ...(previous === undefined ? {} : { previous }),
    ...(store === undefined ? {} : { store }),
    ...(graph === undefined ? {} : { graph }),
    ...(store === undefined || !isCaches(store) ? {} : { caches: cacheSettings(flags) }),
  };
}

function summary({ title, layers, paths, size }: ReportData): string {
  return `${title}, ${layers.length} layers, ${paths.length} store paths, ${describeSize(size)}`;
}
