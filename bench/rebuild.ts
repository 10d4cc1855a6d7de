/**
 * What a build costs when digests are known, and what compression costs when they are not, against GNU tar and the usual compressors.
 *
 *     node bench/rebuild.ts --make DIR [--runs 5] [--only REGEXP]      makes a large closure out of Debian packages in DIR (once)
 *     node bench/rebuild.ts --paths FILE [--runs 5] [--only REGEXP]    measures on these paths of the machine's own Nix store
 *
 * `--only` runs the cases whose names match. Adds two store paths of a few bytes for each run, and deletes them at the end.
 * Prints Markdown. Needs python3, Nix, GNU tar, gzip, pigz, zstd, a built dist/.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { FreshPaths } from './fresh-paths.ts';
import {
  type Closure,
  machine,
  markdownTable,
  measure,
  type Measurement,
  mebibytes,
  median,
  PHYLLO,
  print,
  readClosure,
  readRuns,
  writeImageDescription,
} from './support.ts';

interface Case {
  readonly name: string;
  /** Not measured. */
  readonly prepare?: () => void;
  readonly command: () => readonly string[];
  /** Cases that it is compared with. */
  readonly against: readonly string[];
}

const LAYERS = ['--max-layers', '100'];
/** The store's and the customisation's. */
const ONE_LAYER = ['--max-layers', '2'];

await main();

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      paths: { type: 'string' },
      make: { type: 'string' },
      runs: { type: 'string', default: '5' },
      only: { type: 'string', default: '' },
    },
  });
  const runs = readRuns(values.runs);
  const closure = await readClosure(values);
  const work = mkdtempSync(join(tmpdir(), 'phyllo-bench-'));
  process.env['XDG_CACHE_HOME'] = join(work, 'cache');
  const fresh = new FreshPaths(closure, work);
  try {
    const about = machine(['tar', 'gzip', 'pigz', 'zstd']);
    const cases = casesFor(closure, { work, fresh }).filter(({ name }) => new RegExp(values.only).test(name));
    print([
      ...about,
      `- ${closure.paths.length} store paths, warm page cache, ${runs} runs`,
      '',
      ...table(cases, interleave(cases, runs)),
    ]);
  } finally {
    fresh.remove();
    rmSync(work, { recursive: true, force: true });
  }
}

function casesFor(
  closure: Closure,
  { work, fresh }: { readonly work: string; readonly fresh: FreshPaths },
): readonly Case[] {
  const image = writeImageDescription(closure, work);
  const build = (to: string, options: readonly string[]): readonly string[] => [
    ...[...PHYLLO, 'build', ...image, '--quiet', '--to', to],
    ...options,
  ];
  const layout = `oci:${join(work, 'layout')}`;
  const archive = join(work, 'archive.tar');
  const built = [...LAYERS, '--jobs', '2'];
  const forget = (): void => {
    for (const name of ['cache', 'cold']) rmSync(join(work, name), { recursive: true, force: true });
  };
  const remember = (...options: readonly string[]): void => {
    measure(build(layout, [...built, ...options]), { stdout: '/dev/null' });
  };
  const cold = (options: readonly string[]): Pick<Case, 'prepare' | 'command'> => ({
    prepare: forget,
    command: () => build(`oci:${join(work, 'cold')}`, options),
  });
  const gzip = (jobs: number, layers: readonly string[]): Pick<Case, 'prepare' | 'command'> =>
    cold([...layers, '--jobs', String(jobs), '--compress', 'gzip']);
  const zstd = [...LAYERS, '--jobs', '2', '--compress', 'zstd'];
  const zstdOne = [...ONE_LAYER, '--jobs', '2', '--compress', 'zstd'];
  const { tar, through } = tarCommands(closure, work);
  return [
    { name: "Node's own start", command: () => [process.execPath, '-e', '0'], against: [] },
    { name: 'cold, plain', ...cold(built), against: [] },
    {
      name: 'nothing changed',
      prepare: () => remember(),
      command: () => build(layout, built),
      against: ["Node's own start", 'cold, plain'],
    },
    {
      name: 'one small path changed',
      prepare: () => remember('--contents', fresh.add()),
      command: () => build(layout, [...built, '--contents', fresh.add()]),
      against: ['cold, plain'],
    },
    { name: 'tar -cf FILE', prepare: () => rmSync(archive, { force: true }), command: tar, against: [] },
    {
      name: 'archive to a file, digests cached',
      prepare: () => remember(),
      command: () => build(`docker-archive:${archive}`, built),
      against: ['tar -cf FILE'],
    },
    { name: 'tar \\| gzip -6', command: () => through('gzip -6'), against: [] },
    { name: 'tar \\| pigz -6 -p 2', command: () => through('pigz -6 -p 2'), against: [] },
    { name: 'cold gzip, 1 job', ...gzip(1, LAYERS), against: [] },
    {
      name: 'cold gzip, 2 jobs',
      ...gzip(2, LAYERS),
      against: ['cold gzip, 1 job', 'tar \\| gzip -6', 'tar \\| pigz -6 -p 2'],
    },
    { name: 'cold gzip, 1 job, one layer', ...gzip(1, ONE_LAYER), against: [] },
    {
      name: 'cold gzip, 2 jobs, one layer',
      ...gzip(2, ONE_LAYER),
      against: ['cold gzip, 1 job, one layer', 'tar \\| gzip -6', 'tar \\| pigz -6 -p 2'],
    },
    { name: 'tar \\| zstd -T2 -3', command: () => through('zstd -q -T2 -3'), against: [] },
    { name: 'cold zstd, 2 jobs', ...cold(zstd), against: ['tar \\| zstd -T2 -3'] },
    { name: 'cold zstd, 2 jobs, one layer', ...cold(zstdOne), against: ['tar \\| zstd -T2 -3'] },
  ];
}

interface TarCommands {
  readonly tar: () => readonly string[];
  /** A command that compresses its standard input. */
  readonly through: (compressor: string) => readonly string[];
}

function tarCommands(closure: Closure, work: string): TarCommands {
  const list = join(work, 'files');
  writeFileSync(list, closure.paths.map((path) => `${closure.root}${path}\n`).join(''));
  const output = join(work, 'archive.tar');
  const script = (compressor: string): string => `tar -P -cf - --files-from "$1" | ${compressor} > "$2"`;
  return {
    tar: () => ['tar', '-P', '-cf', output, '--files-from', list],
    through: (compressor) => ['sh', '-euc', script(compressor), 'sh', list, `${output}.z`],
  };
}

/** Every case once, then every case once more, so that a busy minute of the machine meets all of them. */
function interleave(cases: readonly Case[], runs: number): ReadonlyMap<string, readonly Measurement[]> {
  const results = new Map<string, Measurement[]>(cases.map(({ name }) => [name, []]));
  for (let round = 0; round < runs; round++) {
    for (const { name, prepare, command } of cases) {
      prepare?.();
      const measurement = measure(command(), { stdout: '/dev/null' });
      results.get(name)?.push(measurement);
      process.stderr.write(`${name}: ${measurement.seconds.toFixed(2)} s\n`);
    }
  }
  return results;
}

function table(
  cases: readonly Case[],
  results: ReadonlyMap<string, readonly Measurement[]>,
): readonly string[] {
  const secondsOf = (name: string): number => median(results.get(name)?.map(({ seconds }) => seconds) ?? []);
  const rows = cases.map(({ name, against }) => {
    const measurements = results.get(name) ?? [];
    const seconds = secondsOf(name);
    const times = measurements.map((measurement) => measurement.seconds);
    const compared = against
      .filter((other) => results.has(other))
      .map((other) => `${(seconds / secondsOf(other)).toFixed(2)} × "${other}"`);
    return [
      name,
      `${seconds.toFixed(2)} s`,
      `${Math.min(...times).toFixed(2)} to ${Math.max(...times).toFixed(2)} s`,
      `${median(measurements.map(({ userSeconds, systemSeconds }) => userSeconds + systemSeconds)).toFixed(2)} s`,
      `${mebibytes(Math.max(...measurements.map(({ maxRssBytes }) => maxRssBytes)))} MiB`,
      compared.join(', '),
    ];
  });
  return markdownTable([['', 'median', 'range', 'processor', 'peak memory', 'time'], ...rows]);
}
