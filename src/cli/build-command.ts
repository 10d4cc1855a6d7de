/** `phyllo build [IMAGE.json] --to DESTINATION...` */
import { Command, Option } from 'commander';
import {
  type ArchiveFormat,
  type Base,
  buildImage,
  type BuildOptions,
  type BuiltImage,
  type Compression,
  defaultCompression,
  describeSize,
  type Destination,
  type Digest,
  familiarName,
  type ImagePlan,
  type ImageReference,
  type ProgressState,
  type Pushed,
  isRegistryImage,
  type Registries,
  parseCompression,
  parseDestination,
  renderPlanTable,
  requireReference,
  type SbomFormat,
  type SbomRequest,
  type Target,
} from '../index.ts';
import { addCacheOptions, type CacheFlags, cacheRegistry, openCaches } from './cache-options.ts';
import { buildDescribedIndex, reportIndex } from './build-described-index.ts';
import { addDescriptionOptions, type DescriptionFlags } from './description-flags.ts';
import { describe, type Described, type DescribedImage, type DescribedIndex } from './description-options.ts';
import { openUserStore, type StoreFlags, withTypedPaths } from './store-options.ts';
import { describeLoaded } from './describe-loaded.ts';
import { dockerHost } from './docker-host.ts';
import { jobsOption, readJobs } from './jobs.ts';
import { SBOM_FORMATS } from './sbom-command.ts';
import { print, printJson, say, warn } from './output.ts';
import { extraLayersOf, terminal } from './plan-rows.ts';
import { ProgressDisplay, type ProgressKind } from './progress-display.ts';
import { addRegistryOptions, openRegistries, type RegistryFlags } from './registry-options.ts';
import { readingArguments, usageError } from './usage-error.ts';

interface BuildFlags extends DescriptionFlags, RegistryFlags, CacheFlags, StoreFlags {
  readonly to: readonly string[];
  readonly jobs: string;
  readonly compress?: string;
  readonly mountFrom?: readonly string[];
  readonly format: ArchiveFormat;
  readonly verify?: true;
  readonly sbom?: SbomFormat;
  readonly sbomFile?: string;
  readonly progress: ProgressKind;
  readonly json?: true;
  readonly quiet?: true;
  readonly verbose?: true;
  readonly debug?: true;
}

export function buildCommand(signal: AbortSignal): Command {
  const command = new Command('build')
    .description('Build an image and deliver it.')
    .argument('[IMAGE.json]', 'description of the image; options win over it')
    .requiredOption(
      '--to <destination...>',
      'docker://NAME[:TAG], docker-daemon:NAME[:TAG], docker-archive:FILE[:NAME[:TAG]], oci-archive:FILE[:TAG], oci:DIR[:TAG], or - for stdout',
    );
  return addCacheOptions(addRegistryOptions(addDescriptionOptions(command)))
    .option(
      '--compress <how>',
      'layers: none, gzip[:LEVEL] or zstd[:LEVEL] (default: gzip to registries, none elsewhere)',
    )
    .option(
      '--mount-from <repository...>',
      'repositories of the same registry that may have some of the layers',
    )
    .addOption(
      new Option('--format <name>', "of archives: phyllo's, or dockertools for nixpkgs' byte for byte")
        .choices(['phyllo', 'dockertools'])
        .default('phyllo'),
    )
    .addOption(
      new Option(
        '--sbom <format>',
        'a bill of materials, attached to the image in registries and written to --sbom-file',
      ).choices(SBOM_FORMATS),
    )
    .option('--sbom-file <file>', 'where the bill of materials is written')
    .option('--verify', 'compare every store path with the hash that its store has')
    .addOption(
      new Option('--progress <how>', 'on stderr: a line on a terminal, JSON lines, or nothing')
        .choices(['auto', 'json', 'none'])
        .default('auto'),
    )
    .addOption(jobsOption())
    .option('--json', 'print what was built as one JSON document on stdout')
    .option('--quiet', 'say nothing but errors')
    .option('--verbose', 'say how long each part takes')
    .action((file: string | undefined, flags: BuildFlags) => build(file, flags, signal));
}

async function build(file: string | undefined, flags: BuildFlags, signal: AbortSignal): Promise<void> {
  const started = performance.now();
  const destinations = readDestinations(flags);
  const jobs = readJobs(flags.jobs);
  const { compress } = flags;
  const asked = compress === undefined ? undefined : readingArguments(() => parseCompression(compress));
  if (flags.format === 'dockertools') requirePlainArchives(flags, asked);
  const sbom = readSbom(flags);
  const described = describe(file, flags);
  if (described.index !== undefined && sbom?.file !== undefined)
    throw usageError(
      'one file for the bills of several images',
      'leave --sbom-file out: they go beside the images',
    );
  const images = [described, ...(described.index?.images ?? [])];
  await using registries = openRegistries(flags, [
    ...flags.to,
    ...images.flatMap(({ settings: { fromImage, previous } }) => [fromImage, previous]),
    cacheRegistry(flags),
  ]);
  const { cache, sharedCache, plans } = openCaches(flags, { registries, signal });
  const progress = new ProgressDisplay(flags.quiet === true ? 'none' : flags.progress);
  try {
    const isPart = described.index !== undefined;
    const targets = (own: ImageReference | undefined): Target[] =>
      destinations.map((to) => targetOf(to, { ...flags, ...described, own, asked, isPart, registries }));
    const onPhase = (phase: string): void => {
      if (flags.verbose === true) say(`${phase} after ${Math.round(performance.now() - started)} ms`);
    };
    const onStart = (look: () => ProgressState): void => progress.start(look);
    const options = {
      ...(described.debug && flags.quiet !== true ? { onPlan: showPlan } : {}),
      registries,
      daemon: dockerHost,
      targets,
      jobs,
      cache,
      sharedCache,
      plans,
      sbom,
      verify: flags.verify === true,
      signal,
      onPhase,
      onStart,
    };
    if (isIndex(described)) {
      const built = await buildDescribedIndex(described, { ...options, destinations, flags });
      progress.stop();
      reportIndex(built, flags);
    } else {
      const built = await buildDescribed(described, { ...options, flags });
      progress.stop();
      report(built, { flags, started });
    }
  } finally {
    progress.stop();
    cache.close();
  }
}

function showPlan({ layers }: ImagePlan, base: Base): void {
  const rows = { showPaths: true, extraLayers: extraLayersOf(base) };
  say(renderPlanTable(layers, { ...terminal(process.stderr), ...rows }));
}

function isIndex(described: Described): described is Described & { readonly index: DescribedIndex } {
  return described.index !== undefined;
}

async function buildDescribed(
  { settings: described, ...place }: DescribedImage,
  { flags, ...options }: Omit<BuildOptions, 'store'> & { readonly flags: StoreFlags },
): Promise<BuiltImage> {
  const store = await openUserStore(place, flags);
  try {
    const { signal } = options;
    const typed = { store, flags, ...(signal === undefined ? {} : { signal }) };
    return await buildImage(await withTypedPaths(described, typed), { ...options, store });
  } finally {
    store.close();
  }
}

function readDestinations({ to, json }: BuildFlags): Destination[] {
  const destinations = readingArguments(() => to.map(parseDestination));
  if (!destinations.some(({ kind }) => kind === 'stdout')) return destinations;
  if (json === true) throw usageError('--json and --to - both write to stdout', 'leave one of them out');
  if (process.stdout.isTTY)
    throw usageError(
      '--to - would write an archive to the terminal',
      'redirect it: > image.tar, | docker load',
    );
  return destinations;
}

function readSbom({ sbom, sbomFile, to }: BuildFlags): SbomRequest | undefined {
  if (sbom === undefined && sbomFile === undefined) return undefined;
  if (sbom === undefined)
    throw usageError('--sbom-file needs --sbom', `add --sbom ${SBOM_FORMATS.join(', or --sbom ')}`);
  if (sbomFile === undefined && !to.some(isRegistryImage))
    throw usageError('--sbom has no place for the bill', 'add --sbom-file FILE; registries have it attached');
  return { format: sbom, file: sbomFile };
}

function requirePlainArchives({ to }: BuildFlags, compression: Compression | undefined): void {
  if (compression !== undefined && compression.kind !== 'none')
    throw usageError('layers of --format dockertools cannot be compressed', 'leave --compress out');
  if (to.some((destination) => /^(oci(-archive)?:|docker(-daemon)?:)/.test(destination)))
    throw usageError('--format dockertools is a docker archive', 'use docker-archive:FILE or -');
}

interface TargetOptions extends Pick<BuildFlags, 'format' | 'mountFrom'>, Pick<Described, 'compressor'> {
  /** The image's own name. */
  readonly own: ImageReference | undefined;
  readonly asked: Compression | undefined;
  /** Of an index. */
  readonly isPart: boolean;
  readonly registries: Registries;
}

function targetOf(
  destination: Destination,
  { own, asked, isPart, format, compressor, registries, mountFrom = [] }: TargetOptions,
): Target {
  // The images of an index are the same everywhere.
  const compression = asked ?? defaultCompression(isPart ? 'registry' : destination.kind);
  if (destination.kind === 'stdout')
    return {
      ...{ kind: 'stream', output: process.stdout, reference: requireReference(own) },
      ...{ compression, format, compressor },
    };
  const reference = destination.reference?.(own) ?? requireReference(own);
  switch (destination.kind) {
    case 'registry':
      return { kind: 'registry', reference, registries, mountFrom, compression, isPart };
    case 'daemon':
      return { kind: 'daemon', daemon: dockerHost, reference, compression };
    case 'layout':
      return { kind: 'layout', directory: destination.directory, reference, compression, isPart };
    case 'archive':
      return { kind: 'file', file: destination.file, reference, compression, format, compressor };
  }
}

function report(
  built: BuiltImage,
  { flags, started }: { readonly flags: BuildFlags; readonly started: number },
): void {
  if (flags.json === true) printJson(built);
  else if (flags.to.every((to) => to !== '-'))
    print(
      printed(built)
        .map((digest) => `${digest}\n`)
        .join(''),
    );
  if (flags.quiet === true) return;
  for (const warning of built.warnings) warn(warning);
  const size = built.layers.reduce((sum, layer) => sum + layer.size, 0);
  const name = built.reference === undefined ? 'image' : familiarName(built.reference);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  say(
    `${name}: ${built.layers.length} layers (${built.made} made), ${describeSize(size)}, image ID ${built.imageID}, ${seconds} s`,
  );
  for (const pushed of built.pushed) say(describePushed(pushed));
  for (const loaded of built.loaded) say(describeLoaded(loaded));
  for (const { name, digest } of built.sbom?.attached ?? [])
    say(`${name}: bill of materials ${digest} attached`);
}

/** What others need to name the image where it went. */
function printed({ pushed, loaded }: BuiltImage): readonly Digest[] {
  return [...pushed.map(({ digest }) => digest), ...loaded.map(({ imageID }) => imageID)];
}

function describePushed({ name, digest, present, mounted, sent, bytesSent }: Pushed): string {
  return `${name}@${digest}: ${present} blobs were there, ${mounted} mounted, ${sent} sent (${describeSize(bytesSent)})`;
}
