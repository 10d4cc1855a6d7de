/** Flags of commands that read images. */
import type { Command } from 'commander';
import { openImage, type PlatformChoice, type Registries, type SourceImage } from '../index.ts';
import { hostArchitecture } from './surroundings.ts';
import { dockerHost } from './docker-host.ts';
import { addRegistryOptions, openRegistries, type RegistryFlags } from './registry-options.ts';

export interface PlatformFlags extends RegistryFlags {
  readonly architecture?: string;
  readonly os?: string;
  readonly variant?: string;
}

export const SOURCES =
  'docker-archive:FILE[:NAME:TAG], oci-archive:FILE[:TAG], oci:DIR[:TAG], docker://NAME[:TAG|@DIGEST], docker-daemon:NAME[:TAG], or a path alone';

export function addPlatformOptions(command: Command): Command {
  return addRegistryOptions(command)
    .optionsGroup('Choosing an image:')
    .option('--architecture <name>', "of several images, the one for this architecture, with Go's names")
    .option('--os <name>', 'of several images, the one for this operating system')
    .option('--variant <name>', 'of several images, the one for this variant of the architecture')
    .optionsGroup('Options:');
}

/** Opens the images one after the other, calls `use`, and closes them, whatever happens. Returns what `use` did. */
export async function withImages<Result>(
  sources: readonly string[],
  {
    flags,
    signal,
    destination,
    preferred = { architecture: hostArchitecture(), os: 'linux' },
    use,
  }: {
    flags: PlatformFlags;
    signal: AbortSignal;
    destination?: string;
    /** Which platform's image to take where there are several; this machine's when absent. */
    preferred?: PlatformChoice;
    use: (images: SourceImage[], registries: Registries) => Result | Promise<Result>;
  },
): Promise<Result> {
  const { architecture, os, variant } = flags;
  const platform: PlatformChoice = { architecture, os, variant };
  await using registries = openRegistries(flags, [...sources, destination]);
  const images: SourceImage[] = [];
  try {
    for (const source of sources)
      images.push(await openImage(source, { platform, preferred, signal, registries, daemon: dockerHost }));
    return await use(images, registries);
  } finally {
    for (const image of images) image.close();
  }
}
