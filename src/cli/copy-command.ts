/** `phyllo copy SOURCE DESTINATION` and `phyllo merge IMAGE... --to DESTINATION` */
import { Command } from 'commander';
import {
  type CopiedToRegistry,
  copyImage,
  type CopyDestination,
  describeSize,
  inspectImage,
  type LoadedImage,
  mergeImages,
  parseCopyDestination,
  type SourceImage,
} from '../index.ts';
import { describeLoaded } from './describe-loaded.ts';
import { dockerHost } from './docker-host.ts';
import { addPlatformOptions, type PlatformFlags, SOURCES, withImages } from './image-options.ts';
import { print, say, warn } from './output.ts';
import { readingArguments, usageError } from './usage-error.ts';

interface CopyFlags extends PlatformFlags {
  readonly quiet?: true;
  readonly debug?: true;
}

interface MergeFlags extends CopyFlags {
  readonly to: string;
}

export function copyCommand(signal: AbortSignal): Command {
  const command = new Command('copy')
    .description('Copy an image from one place to another.')
    .argument('<SOURCE>', SOURCES)
    .argument(
      '<DESTINATION>',
      'docker-archive:FILE[:NAME[:TAG]], oci-archive:FILE[:TAG], oci:DIR[:TAG], docker://NAME[:TAG], docker-daemon:NAME[:TAG], - for stdout; rootfs:FILE for the flat root file system',
    );
  return addCommonOptions(command).action((source: string, destination: string, flags: CopyFlags) =>
    copy([source], { destination, flags, signal }),
  );
}

export function mergeCommand(signal: AbortSignal): Command {
  const command = new Command('merge')
    .description('Make one archive or layout of several images, in which shared layers are once.')
    .argument('<IMAGE...>', SOURCES)
    .requiredOption('--to <destination>', 'docker-archive:FILE, oci-archive:FILE, oci:DIR, or - for stdout');
  return addCommonOptions(command).action((sources: readonly string[], { to, ...flags }: MergeFlags) =>
    copy(sources, { destination: to, flags, signal }),
  );
}

function addCommonOptions(command: Command): Command {
  return addPlatformOptions(command)
    .option('--quiet', 'say nothing but errors')
    .option('--debug', 'show the stack of an error');
}

async function copy(
  sources: readonly string[],
  {
    destination,
    flags,
    signal,
  }: { readonly destination: string; readonly flags: CopyFlags; readonly signal: AbortSignal },
): Promise<void> {
  const to = readingArguments(() => parseCopyDestination(destination));
  refuseTerminal(to);
  await withImages(sources, {
    flags,
    signal,
    destination,
    async use(images, registries) {
      const options = { to, stdout: process.stdout, registries, daemon: dockerHost, signal };
      const [first] = images;
      if (images.length === 1 && first !== undefined) reportCopied(await copyImage(first, options), flags);
      else await mergeImages(images, options);
      if (flags.quiet !== true) for (const image of images) say(describe(image));
    },
  });
}

function refuseTerminal(to: CopyDestination): void {
  const isStdout = to.kind === 'stdout' || (to.kind === 'rootfs' && to.file === undefined);
  if (isStdout && process.stdout.isTTY)
    throw usageError('- would write an archive to the terminal', 'redirect it: > image.tar, | docker load');
}

function reportCopied(copied: CopiedToRegistry | LoadedImage | undefined, { quiet }: CopyFlags): void {
  if (copied === undefined) return;
  print(`${'digest' in copied ? copied.digest : copied.imageID}\n`);
  if (quiet === true || 'digest' in copied) return;
  for (const warning of copied.warnings) warn(warning);
  say(describeLoaded(copied));
}

function describe(image: SourceImage): string {
  const { names, layers, size, imageID } = inspectImage(image);
  return `${names[0] ?? 'image'}: ${layers.length} layers, ${describeSize(size)}, image ID ${imageID}`;
}
