/** `phyllo inspect IMAGE` */
import { Command } from 'commander';
import {
  describeSize,
  type ImageSummary,
  inspectImage,
  isJsonObject,
  type LayerSummary,
  type Referrer,
  referrersOf,
} from '../index.ts';
import { addPlatformOptions, type PlatformFlags, SOURCES, withImages } from './image-options.ts';
import { print, printJson } from './output.ts';

interface InspectFlags extends PlatformFlags {
  readonly json?: true;
  readonly paths?: true;
  readonly debug?: true;
}

export function inspectCommand(signal: AbortSignal): Command {
  const command = new Command('inspect')
    .description('Show what an image is: names, digests, configuration, layers and their store paths.')
    .argument('<IMAGE>', SOURCES);
  return addPlatformOptions(command)
    .option('--json', 'print everything as one JSON document')
    .option('--paths', "list each layer's store paths")
    .option('--debug', 'show the stack of an error')
    .action((source: string, flags: InspectFlags) =>
      withImages([source], {
        flags,
        signal,
        use: async ([first], registries) => {
          const image = first as NonNullable<typeof first>;
          const summary = inspectImage(image);
          const referrers = await referrersOf(image, { registries, signal });
          if (flags.json === true) printJson({ ...summary, referrers });
          else print(render(summary, { flags, referrers }));
        },
      }),
    );
}

function render(
  summary: ImageSummary,
  { flags, referrers }: { readonly flags: InspectFlags; readonly referrers: readonly Referrer[] },
): string {
  const { architecture, os, variant } = summary.platform;
  const rows: readonly (readonly [string, string | undefined])[] = [
    ['names', summary.names.join(', ') || '(none)'],
    ['image ID', summary.imageID],
    ['manifest', summary.manifestDigest],
    ['platform', [os, architecture, variant].filter((part) => part !== undefined).join('/')],
    ['created', summary.created],
    ...configRows(summary),
    ...referrers.map((referrer) => ['attached', describeReferrer(referrer)] as const),
    ['layers', `${summary.layers.length}, ${describeSize(summary.size)}`],
  ];
  const lines = rows.flatMap(([name, value]) => (value === undefined ? [] : [`${name.padEnd(12)}${value}`]));
  const layers = summary.layers.flatMap((layer, i) => renderLayer(layer, { number: i + 1, flags }));
  return `${[...lines, '', ...layers].join('\n')}\n`;
}

function describeReferrer({ artifactType, mediaType, digest }: Referrer): string {
  return `${artifactType ?? mediaType} ${digest}`;
}

function configRows({ config }: ImageSummary): (readonly [string, string])[] {
  return Object.entries(config).flatMap(([field, value]) => {
    const isEmpty =
      value === null || value === '' || (isJsonObject(value) && Object.keys(value).length === 0);
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    return isEmpty || text === '[]' ? [] : [[field, text] as const];
  });
}

function renderLayer(
  { digest, diffID, size, storePaths, comment }: LayerSummary,
  { number, flags }: { readonly number: number; readonly flags: InspectFlags },
): string[] {
  const what = storePaths.length === 0 ? (comment ?? '') : describePaths(storePaths);
  const head = `${String(number).padStart(4)}  ${describeSize(size).padStart(10)}  ${digest}  ${what}`;
  const isCompressed = digest !== diffID;
  return [
    head.trimEnd(),
    ...(isCompressed ? [`${' '.repeat(18)}${diffID}  diff ID`] : []),
    ...(flags.paths === true ? storePaths.map((path) => `${' '.repeat(18)}${path}`) : []),
  ];
}

const NAME_WIDTH = 50;

function describePaths(storePaths: readonly string[]): string {
  const name = (storePaths[0] as string).replace(/^.*\/[0-9a-z]{32}-/, '').slice(0, NAME_WIDTH);
  return storePaths.length === 1 ? name : `${name} and ${storePaths.length - 1} more`;
}
