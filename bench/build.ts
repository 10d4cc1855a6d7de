/**
 * `phyllo build` against the two-pass Python streamer (streamer.py) and against GNU tar, on one closure, interleaved in one run.
 *
 *     node bench/build.ts --make DIR [--runs 5]      makes a large closure out of Debian packages in DIR (once) and measures on it
 *     node bench/build.ts --paths FILE [--runs 5]    measures on these paths of the machine's own Nix store
 *
 * Prints Markdown. Needs python3, GNU tar, a built dist/; --make needs what test/integration/support/debian-closure.ts needs.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
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
  readLines,
  readRuns,
  writeImageDescription,
} from './support.ts';

interface Contender {
  readonly name: string;
  /** Writes to OUTPUT below, or to standard output, which is /dev/null. */
  readonly command: readonly string[];
  readonly to: 'file' | 'stdout';
}

const MAX_LAYERS = 100;
const JOBS = 2;
const STREAMER = ['python3', join(import.meta.dirname, 'streamer.py')];

await main();

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { paths: { type: 'string' }, make: { type: 'string' }, runs: { type: 'string', default: '5' } },
  });
  const runs = readRuns(values.runs);
  const closure = await readClosure(values);
  const work = mkdtempSync(join(tmpdir(), 'phyllo-bench-'));
  try {
    print(await measureAll(closure, { work, runs }));
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

async function measureAll(
  closure: Closure,
  { work, runs }: { readonly work: string; readonly runs: number },
): Promise<readonly string[]> {
  const output = join(work, 'output.tar');
  const planFile = join(work, 'plan.json');
  const build = [...writeImageDescription(closure, work), '--max-layers', String(MAX_LAYERS)];
  const plan = [...PHYLLO, 'plan', ...build, '--json'];
  measure(plan, { stdout: planFile });
  verifySameLayers(closure, { work, planFile, build });

  const contenders = contendersFor(closure, { work, output, planFile, build });
  const results = interleave([...contenders, { name: 'phyllo plan', command: plan, to: 'stdout' }], {
    output,
    runs,
  });
  return [
    ...machine(['python3', 'tar']),
    '',
    ...describeClosure(closure, planFile),
    '',
    ...table(contenders, results),
  ];
}

interface Files {
  readonly work: string;
  readonly planFile: string;
  /** Arguments of `phyllo build` but for the destination. */
  readonly build: readonly string[];
}

/** The comparison is one of equals only when the layers are the same bytes. */
function verifySameLayers(closure: Closure, { work, planFile, build }: Files): void {
  const digestFile = join(work, 'digests');
  measure([...STREAMER, planFile, '-', `--root=${closure.root}`, '--digests', digestFile], {
    stdout: '/dev/null',
  });
  const archive = join(work, 'verify.tar');
  measure([...PHYLLO, 'build', ...build, '--quiet', '--to', `docker-archive:${archive}`], {
    stdout: '/dev/null',
  });
  const expected = readLines(digestFile);
  const storeLayers = diffIds(archive).slice(0, -1);
  rmSync(archive);
  if (expected.join() !== storeLayers.join())
    throw new Error('the streamer and phyllo make different layers');
}

function diffIds(archive: string): readonly string[] {
  const [manifest] = JSON.parse(readMember(archive, 'manifest.json')) as [{ readonly Config: string }];
  const config = JSON.parse(readMember(archive, manifest.Config)) as {
    readonly rootfs: { readonly diff_ids: readonly string[] };
  };
  return config.rootfs.diff_ids;
}

function readMember(archive: string, name: string): string {
  return execFileSync('tar', ['-xOf', archive, name], { encoding: 'utf8' });
}

function contendersFor(
  closure: Closure,
  { work, output, planFile, build }: Files & { readonly output: string },
): readonly Contender[] {
  const list = join(work, 'files');
  writeFileSync(list, closure.paths.map((path) => `${closure.root}${path}\n`).join(''));
  const streamer = (to: string): readonly string[] => [...STREAMER, planFile, to, `--root=${closure.root}`];
  const phyllo = (to: string): readonly string[] => [
    ...PHYLLO,
    'build',
    ...build,
    '--jobs',
    String(JOBS),
    '--quiet',
    '--to',
    to,
  ];
  return [
    { name: 'streamer', to: 'file', command: streamer(output) },
    { name: 'tar', to: 'file', command: ['tar', '-P', '-cf', output, '--files-from', list] },
    { name: 'phyllo', to: 'file', command: phyllo(`docker-archive:${output}`) },
    { name: 'streamer', to: 'stdout', command: streamer('-') },
    { name: 'phyllo', to: 'stdout', command: phyllo('-') },
  ];
}

/** Every contender once, then every contender once more, so that a busy minute of the machine meets all of them. */
function interleave(
  contenders: readonly Contender[],
  { output, runs }: { readonly output: string; readonly runs: number },
): ReadonlyMap<string, readonly Measurement[]> {
  const results = new Map<string, Measurement[]>(contenders.map((contender) => [keyOf(contender), []]));
  for (let round = 0; round < runs; round++) {
    for (const contender of contenders) {
      rmSync(output, { force: true });
      results.get(keyOf(contender))?.push(measure(contender.command, { stdout: '/dev/null' }));
    }
  }
  return results;
}

function keyOf({ name, to }: Contender): string {
  return `${name} ${to}`;
}

function table(
  contenders: readonly Contender[],
  results: ReadonlyMap<string, readonly Measurement[]>,
): readonly string[] {
  const secondsOf = (key: string): number => median(results.get(key)?.map(({ seconds }) => seconds) ?? []);
  const rows = contenders.map((contender) => {
    const measurements = results.get(keyOf(contender)) ?? [];
    const seconds = secondsOf(keyOf(contender));
    const times = measurements.map((measurement) => measurement.seconds);
    return [
      `${contender.name}, ${contender.to === 'file' ? 'to a file' : '> /dev/null'}`,
      `${seconds.toFixed(2)} s`,
      `${Math.min(...times).toFixed(2)} to ${Math.max(...times).toFixed(2)} s`,
      `${median(measurements.map(({ userSeconds, systemSeconds }) => userSeconds + systemSeconds)).toFixed(2)} s`,
      `${mebibytes(Math.max(...measurements.map(({ maxRssBytes }) => maxRssBytes)))} MiB`,
      `${(secondsOf(`streamer ${contender.to}`) / seconds).toFixed(1)} times`,
      contender.to === 'file' ? (seconds / secondsOf('tar file')).toFixed(2) : '',
    ];
  });
  const titles = [
    '',
    'median',
    'range',
    'processor',
    'peak memory',
    'faster than the streamer',
    'time of tar',
  ];
  return [
    ...markdownTable([titles, ...rows]),
    '',
    `\`phyllo plan --json\`, the whole command: ${(secondsOf('phyllo plan stdout') * 1000).toFixed(0)} ms.`,
  ];
}

function describeClosure(closure: Closure, planFile: string): readonly string[] {
  const { layers } = JSON.parse(readFileSync(planFile, 'utf8')) as {
    readonly layers: readonly { readonly narSize: number }[];
  };
  const bytes = layers.reduce((sum, { narSize }) => sum + narSize, 0);
  return [
    `${closure.paths.length} store paths, ${mebibytes(bytes)} MiB, ${layers.length} layers, ${JOBS} jobs, warm page cache.`,
  ];
}
