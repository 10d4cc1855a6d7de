/** `phyllo diff OLD NEW` */
import { Command, Option } from 'commander';
import { describeSize, diffImages, type DiffOptions, PhylloError, renderUpdateCost } from '../index.ts';
import { dockerHost } from './docker-host.ts';
import { hostArchitecture } from './surroundings.ts';
import { addPlatformOptions, type PlatformFlags } from './image-options.ts';
import { print, printJson } from './output.ts';
import { openRegistries } from './registry-options.ts';
import { addStoreOptions, cacheSettings, isCaches, STORE_HEADING, type StoreFlags } from './store-options.ts';
import { usageError } from './usage-error.ts';

interface DiffFlags extends PlatformFlags, StoreFlags {
  readonly json?: true;
  readonly maxPull?: string;
  readonly store?: string;
  readonly debug?: true;
}

export function diffCommand(signal: AbortSignal): Command {
  const command = new Command('diff')
    .description('Show what clients of one image pull and unpack for another one, and why.')
    .argument('<OLD>', 'an image as inspect takes it, or what plan --json printed')
    .argument('<NEW>', 'the same');
  return addStoreOptions(addPlatformOptions(command))
    .option('--json', 'print everything as one JSON document')
    .option('--max-pull <size>', 'fail when clients would pull more: 50MB, 20MiB, bytes')
    .addOption(
      new Option(
        '--store <where>',
        'store whose references say why paths changed (default: the local one)',
      ).helpGroup(STORE_HEADING),
    )
    .option('--debug', 'show the stack of an error')
    .action((old: string, fresh: string, flags: DiffFlags) => diff({ old, fresh }, { flags, signal }));
}

async function diff(
  images: { readonly old: string; readonly fresh: string },
  { flags, signal }: { readonly flags: DiffFlags; readonly signal: AbortSignal },
): Promise<void> {
  const { architecture, os, variant, store } = flags;
  const limit = flags.maxPull === undefined ? undefined : parseSize(flags.maxPull);
  await using registries = openRegistries(flags, [images.old, images.fresh]);
  const cost = await diffImages(images, {
    platform: { architecture, os, variant },
    preferred: { architecture: hostArchitecture(), os: 'linux' },
    signal,
    registries,
    daemon: dockerHost,
    ...(store === undefined ? {} : { store, ...cachesOf(store, flags) }),
  });
  if (flags.json === true) printJson(cost);
  else print(renderUpdateCost(cost, { columns: process.stdout.columns ?? 80 }));
  if (limit === undefined || cost.pull <= limit) return;
  throw new PhylloError(
    'PULL_TOO_LARGE',
    `clients would pull ${describeSize(cost.pull)}, and --max-pull is ${flags.maxPull} (${cost.pull} and ${limit} bytes)`,
  );
}

function cachesOf(store: string, flags: StoreFlags): Pick<DiffOptions, 'caches'> {
  return isCaches(store) ? { caches: cacheSettings(flags) } : {};
}

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
};

/** Bytes. */
function parseSize(text: string): number {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?) ?([a-z]*)$/i.exec(text) ?? [];
  const factor = UNITS[unit.toLowerCase()];
  if (number !== undefined && factor !== undefined) return Number(number) * factor;
  throw usageError(`--max-pull is not a size: ${JSON.stringify(text)}`, 'sizes: 50MB, 20MiB, 1000000');
}
