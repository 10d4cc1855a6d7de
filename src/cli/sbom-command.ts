/** `phyllo sbom IMAGE|STOREPATH...` */
import { Command, Option } from 'commander';
import {
  billOfImage,
  billOfPaths,
  type DescribedBill,
  encodeBill,
  isTypedPath,
  resolveTypedPath,
  type SbomFormat,
  writeSbom,
} from '../index.ts';
import { sourceDateEpoch } from './surroundings.ts';
import { addPlatformOptions, type PlatformFlags, SOURCES, withImages } from './image-options.ts';
import { print, warn } from './output.ts';
import {
  addStoreOptions,
  joined,
  openUserStore,
  resolveInstallables,
  type StoreFlags,
} from './store-options.ts';
import { usageError } from './usage-error.ts';

interface SbomFlags extends StoreFlags, PlatformFlags {
  readonly format: SbomFormat;
  readonly output?: string;
  readonly store?: string;
  readonly graph?: string;
  readonly quiet?: true;
  readonly debug?: true;
}

export const SBOM_FORMATS: readonly SbomFormat[] = ['cyclonedx', 'spdx'];

export function sbomCommand(signal: AbortSignal): Command {
  const command = new Command('sbom')
    .description('Print a bill of materials of an image, or of store paths and all that they refer to.')
    .argument('[IMAGE|STOREPATH...]', `${SOURCES}; or store paths as closure takes them`)
    .addOption(new Option('--format <name>', 'of the bill').choices(SBOM_FORMATS).default('cyclonedx'))
    .option('--output <file>', 'write it there instead of to stdout')
    .addOption(
      new Option(
        '--store <where>',
        'where hashes and references are known: auto, another root directory, or binary caches',
      ).argParser(joined),
    )
    .option('--graph <file>', 'exported reference graph to use instead of the database');
  return addStoreOptions(addPlatformOptions(command))
    .option('--quiet', 'say nothing but errors')
    .option('--debug', 'show the stack of an error')
    .action((texts: readonly string[], flags: SbomFlags) => printSbom(texts, flags, signal));
}

async function printSbom(texts: readonly string[], flags: SbomFlags, signal: AbortSignal): Promise<void> {
  const wanted = [...texts, ...(await resolveInstallables(flags, signal))];
  const [first] = wanted;
  if (first === undefined) throw usageError('neither an image nor a store path was given');
  const images = wanted.filter((text) => !isStorePath(text));
  if (images.length > 0 && wanted.length > 1)
    throw usageError('a bill is of one image, or of store paths', 'call sbom for each image');
  const described = images.length > 0 ? await ofImage(first, flags, signal) : await ofPaths(wanted, flags);
  await deliver(described, flags, signal);
}

/** An image may be a file in the store, but then it is named with its transport. */
function isStorePath(text: string): boolean {
  return isTypedPath(text) || /^\/.*\/[0-9a-df-np-sv-z]{32}-[^/]+$/.test(text);
}

async function ofImage(image: string, flags: SbomFlags, signal: AbortSignal): Promise<DescribedBill> {
  const isStoreGiven = flags.store !== undefined || flags.graph !== undefined;
  const store = isStoreGiven ? await openUserStore(placeOf(flags), flags) : undefined;
  try {
    return await withImages([image], {
      flags,
      signal,
      use: async ([opened]) => await billOfImage(opened as NonNullable<typeof opened>, { store }),
    });
  } finally {
    store?.close();
  }
}

async function ofPaths(texts: readonly string[], flags: SbomFlags): Promise<DescribedBill> {
  const store = await openUserStore(placeOf(flags), flags);
  try {
    const paths = await Promise.all(texts.map((text) => resolveTypedPath(text, store)));
    return await billOfPaths(paths, { store, created: sourceDateEpoch() });
  } finally {
    store.close();
  }
}

function placeOf({ store = 'auto', graph }: SbomFlags): {
  readonly store: string;
  readonly graph: string | undefined;
} {
  return { store, graph };
}

async function deliver(
  described: DescribedBill,
  { format, output, quiet, ...flags }: SbomFlags,
  signal: AbortSignal,
): Promise<void> {
  if (output === undefined) print((await encodeBill(described.bill, format)).bytes.toString());
  else await writeSbom(described, { format, file: output, signal });
  if (quiet === true) return;
  const isStoreGiven = flags.store !== undefined || flags.graph !== undefined;
  for (const gap of described.gaps) warn(isStoreGiven ? gap : `${gap}; --store names a store that may know`);
}
