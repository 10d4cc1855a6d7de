/** What bench/speed.ts measures, and what each case is to reach. */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FreshPaths } from './fresh-paths.ts';
import { type Closure, measure, PHYLLO, STREAMER, writeImageDescription } from './support.ts';

export interface Case {
  readonly name: string;
  /** Not measured. */
  readonly prepare: () => void;
  readonly command: () => readonly string[];
  readonly goals?: readonly Goal[];
  readonly maxMiB?: number;
  /** Takes a minute or so. */
  readonly isLong?: boolean;
}

/** How a case's time is to be compared with another one's. */
export type Goal =
  /** At most so many times the other's time. */
  | { readonly kind: 'within'; readonly of: string; readonly times: number; readonly plusSeconds?: number }
  /** At least so many times as fast. */
  | { readonly kind: 'faster'; readonly of: string; readonly times: number };

interface Work {
  /** A directory. */
  readonly work: string;
  readonly fresh: FreshPaths;
}

const START = "Node's own start";
const COLD = 'cold, plain, to a layout';
const TAR = 'tar -cf FILE';
const GZIP = 'tar | gzip -6';
const PIGZ = 'tar | pigz -6 -p 2';
const ZSTD = 'tar | zstd -T2 -3';
const HUNDRED_LAYERS = ['--max-layers', '100'];
/** The store's and the customisation's. */
const ONE_LAYER = ['--max-layers', '2'];

export function speedCases(closure: Closure, { work, fresh }: Work): readonly Case[] {
  const commands = new Commands(closure, work);
  return [
    { name: START, prepare: () => undefined, command: () => [process.execPath, '-e', '0'] },
    ...archiveCases(commands),
    ...rebuildCases(commands, fresh),
    ...gzipCases(commands),
    ...zstdCases(commands),
  ];
}

function archiveCases({ archive, cold, build, remember, streamer, shell }: Commands): readonly Case[] {
  const plan = { name: 'phyllo plan --json', prepare: () => undefined };
  return [
    { name: 'streamer, to a file', isLong: true, ...cold(() => streamer(archive)) },
    { name: TAR, ...cold(() => shell(`tar -P -cf "$2" --files-from "$1"`)) },
    { name: `${TAR}, then fsync`, ...cold(() => shell(`tar -P -cf "$2" --files-from "$1"; sync "$2"`)) },
    {
      name: 'phyllo, to a file',
      ...cold(() => build(`docker-archive:${archive}`, [...HUNDRED_LAYERS, '--jobs', '2'])),
      goals: [
        { kind: 'faster', of: 'streamer, to a file', times: 8 },
        { kind: 'within', of: TAR, times: 2 },
      ],
      maxMiB: 250,
    },
    {
      name: 'phyllo, to a file, digests cached',
      prepare: remember,
      command: () => build(`docker-archive:${archive}`, [...HUNDRED_LAYERS, '--jobs', '2']),
      goals: [{ kind: 'within', of: TAR, times: 1.5 }],
      maxMiB: 250,
    },
    { name: 'streamer, > /dev/null', isLong: true, ...cold(() => streamer('-')) },
    {
      name: 'phyllo, > /dev/null',
      ...cold(() => build('-', [...HUNDRED_LAYERS, '--jobs', '2'])),
      goals: [{ kind: 'faster', of: 'streamer, > /dev/null', times: 6 }],
      maxMiB: 250,
    },
    { ...plan, command: () => build(undefined, [...HUNDRED_LAYERS, '--json']) },
  ];
}

function rebuildCases(
  { work, cold, build, remember, rememberWith }: Commands,
  fresh: FreshPaths,
): readonly Case[] {
  const options = [...HUNDRED_LAYERS, '--jobs', '2'];
  const layout = `oci:${join(work, 'layout')}`;
  return [
    { name: COLD, ...cold(() => build(layout, options)), maxMiB: 350 },
    {
      name: 'nothing changed',
      prepare: remember,
      command: () => build(layout, options),
      goals: [{ kind: 'within', of: START, times: 1, plusSeconds: 0.3 }],
      maxMiB: 350,
    },
    {
      name: 'one small path changed',
      prepare: () => rememberWith(['--contents', fresh.add()]),
      command: () => build(layout, [...options, '--contents', fresh.add()]),
      goals: [{ kind: 'within', of: COLD, times: 0.02, plusSeconds: 0.3 }],
      maxMiB: 350,
    },
  ];
}

function gzipCases({ work, cold, build, shell }: Commands): readonly Case[] {
  const through = (compressor: string): Pick<Case, 'prepare' | 'command'> =>
    cold(() => shell(`tar -P -cf - --files-from "$1" | ${compressor} > "$2"`));
  const gzip = (jobs: number, layers: readonly string[]): Pick<Case, 'prepare' | 'command'> =>
    cold(() =>
      build(`oci:${join(work, 'layout')}`, [...layers, '--jobs', String(jobs), '--compress', 'gzip']),
    );
  const goals = (single: string): readonly Goal[] => [
    { kind: 'faster', of: single, times: 1.6 },
    { kind: 'faster', of: GZIP, times: 2.5 },
    { kind: 'within', of: PIGZ, times: 1 },
  ];
  const [single, singleOne] = ['cold gzip, 1 job', 'cold gzip, 1 job, one layer'];
  return [
    { name: GZIP, isLong: true, ...through('gzip -6') },
    { name: PIGZ, isLong: true, ...through('pigz -6 -p 2') },
    { name: single, isLong: true, ...gzip(1, HUNDRED_LAYERS), maxMiB: 350 },
    {
      name: 'cold gzip, 2 jobs',
      isLong: true,
      ...gzip(2, HUNDRED_LAYERS),
      goals: goals(single),
      maxMiB: 350,
    },
    { name: singleOne, isLong: true, ...gzip(1, ONE_LAYER), maxMiB: 350 },
    {
      name: 'cold gzip, 2 jobs, one layer',
      isLong: true,
      ...gzip(2, ONE_LAYER),
      goals: goals(singleOne),
      maxMiB: 350,
    },
  ];
}

function zstdCases({ work, cold, build, shell }: Commands): readonly Case[] {
  const zstd = (layers: readonly string[]): Pick<Case, 'prepare' | 'command' | 'goals' | 'maxMiB'> => ({
    ...cold(() => build(`oci:${join(work, 'layout')}`, [...layers, '--jobs', '2', '--compress', 'zstd'])),
    goals: [{ kind: 'within', of: ZSTD, times: 1 }],
    maxMiB: 350,
  });
  return [
    { name: ZSTD, ...cold(() => shell(`tar -P -cf - --files-from "$1" | zstd -q -T2 -3 > "$2"`)) },
    { name: 'cold zstd, 2 jobs', ...zstd(HUNDRED_LAYERS) },
    { name: 'cold zstd, 2 jobs, one layer', ...zstd(ONE_LAYER) },
  ];
}

/** Command lines on one closure, whose outputs and digest cache are in one directory. */
class Commands {
  readonly archive: string;
  readonly work: string;
  readonly #image: readonly string[];
  readonly #list: string;
  readonly #root: string;

  constructor(closure: Closure, work: string) {
    this.work = work;
    this.archive = join(work, 'archive.tar');
    this.#root = closure.root;
    this.#image = writeImageDescription(closure, work);
    this.#list = join(work, 'files');
    writeFileSync(this.#list, closure.paths.map((path) => `${closure.root}${path}\n`).join(''));
  }

  /** With no output of another case, and no digest known. */
  readonly cold = (command: () => readonly string[]): Pick<Case, 'prepare' | 'command'> => ({
    prepare: () => {
      for (const name of ['cache', 'layout', 'archive.tar'])
        rmSync(join(this.work, name), { recursive: true, force: true });
    },
    command,
  });

  /** @param to a destination; undefined: only plans */
  readonly build = (to: string | undefined, options: readonly string[]): readonly string[] => {
    const [subcommand, ...rest] = to === undefined ? ['plan'] : ['build', '--quiet', '--to', to];
    return [...PHYLLO, subcommand, ...this.#image, ...rest, ...options];
  };

  /** The image is in the layout, and its digests are known. */
  readonly remember = (): void => this.rememberWith([]);

  readonly rememberWith = (options: readonly string[]): void => {
    rmSync(this.archive, { force: true });
    const built = this.build(`oci:${join(this.work, 'layout')}`, [...HUNDRED_LAYERS, ...options]);
    measure(built, { stdout: '/dev/null' });
  };

  readonly streamer = (to: string): readonly string[] => [
    ...STREAMER,
    join(this.work, 'plan.json'),
    to,
    `--root=${this.#root}`,
  ];

  /** `$1` is a file with the names of all store paths, `$2` the output. */
  readonly shell = (script: string): readonly string[] => [
    'sh',
    '-euc',
    script,
    'sh',
    this.#list,
    this.archive,
  ];
}
