/** `phyllo dockertools CONF [-t NAME:TAG]`: stands in for nixpkgs' stream_layered_image.py. */
import { resolve } from 'node:path';
import { Command } from 'commander';
import { describeSize, parseDockerToolsConf, streamDockerToolsImage } from '../index.ts';
import { readTextFile } from './description-file.ts';
import { jobsOption, readJobs } from './jobs.ts';
import { say } from './output.ts';
import { usageError } from './usage-error.ts';

interface DockerToolsFlags {
  readonly repo_tag?: string;
  readonly store?: string;
  readonly jobs: string;
  readonly quiet?: true;
  readonly debug?: true;
}

export function dockerToolsCommand(signal: AbortSignal): Command {
  return new Command('dockertools')
    .description("Write the archive that nixpkgs' streamer writes for the same configuration, byte for byte.")
    .argument('<CONF>', "the streamer's configuration: `conf` of the result of streamLayeredImage")
    .option('-t, --repo_tag <name:tag>', 'the image name, instead of the one in the configuration')
    .option('--store <directory>', 'root directory below which the store is')
    .addOption(jobsOption())
    .option('--quiet', 'say nothing but errors')
    .option('--debug', 'show the stack of an error')
    .action((file: string, flags: DockerToolsFlags) => stream(file, flags, signal));
}

async function stream(file: string, flags: DockerToolsFlags, signal: AbortSignal): Promise<void> {
  const jobs = readJobs(flags.jobs);
  if (process.stdout.isTTY)
    throw usageError(
      'this would write an archive to the terminal',
      'redirect it: > image.tar, | docker load',
    );
  const conf = parseDockerToolsConf(readTextFile(file), { now: isoNow() });
  // As in the reference, an empty name is none.
  const repoTag = flags.repo_tag === '' ? undefined : flags.repo_tag;
  const { imageID, diffIDs, size, ...streamed } = await streamDockerToolsImage(
    { ...conf, repoTag: repoTag ?? conf.repoTag },
    { output: process.stdout, storeRoot: storeRootOf(flags), jobs, signal },
  );
  if (flags.quiet !== true)
    say(`${streamed.repoTag}: ${diffIDs.length} layers, ${describeSize(size)}, image ID ${imageID}`);
}

/** '' is the machine's own. */
function storeRootOf({ store = '/' }: DockerToolsFlags): string {
  return resolve(store).replace(/\/$/, '');
}

/** As Python prints the present in UTC. */
function isoNow(): string {
  return new Date().toISOString().replace('Z', '000+00:00');
}
