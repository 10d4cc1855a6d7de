/**
 * `phyllo build` against the two-pass Python streamer (streamer.py) and against GNU tar, on one closure, interleaved in one run.
 *
 *     node bench/build.ts --make DIR [--runs 5]      makes a large closure out of Debian packages in DIR (once) and measures on it
 *     node bench/build.ts --paths FILE [--runs 5]    measures on these paths of the machine's own Nix store
 *
 * Prints Markdown. Needs python3, GNU tar, a built dist/; --make needs what test/integration/support/debian-closure.ts needs.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, release, tmpdir, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { buildDebianClosure, FULL_ROOTS } from '../test/integration/support/debian-closure.ts';
import { closureOf, createNixStore } from '../test/integration/support/nix.ts';

interface Closure {
  /** All of them; every one is in the image. */
  readonly paths: readonly string[];
  /** The directory below which /nix/store is; empty for the machine's own. */
  readonly root: string;
}

interface Contender {
  readonly name: string;
  /** Writes to OUTPUT below, or to standard output, which is /dev/null. */
  readonly command: readonly string[];
  readonly to: 'file' | 'stdout';
}

interface Measurement {
  readonly seconds: number;
  readonly userSeconds: number;
  readonly systemSeconds: number;
  readonly maxRssBytes: number;
}

const MAX_LAYERS = 100;
const JOBS = 2;
const PHYLLO = [process.execPath, join(import.meta.dirname, '../bin/phyllo.cjs')];
const STREAMER = ['python3', join(import.meta.dirname, 'streamer.py')];
const MEASURE = join(import.meta.dirname, 'measure.py');

await main();

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { paths: { type: 'string' }, make: { type: 'string' }, runs: { type: 'string', default: '5' } },
  });
  const runs = Number(values.runs);
  if (!Number.isSafeInteger(runs) || runs < 1) throw new TypeError('--runs is a number of 1 or more');
  const closure = await readClosure(values);
  const work = mkdtempSync(join(tmpdir(), 'phyllo-bench-'));
  try {
    print(await measureAll(closure, { work, runs }));
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function print(lines: readonly string[]): void {
  process.stdout.write(`${lines.join('\n')}\n`);
}

async function readClosure(source: { readonly paths?: string; readonly make?: string }): Promise<Closure> {
  if (source.paths !== undefined) return { paths: readLines(source.paths), root: '' };
  if (source.make !== undefined) return makeClosure(resolve(source.make));
  throw new TypeError('say --paths FILE or --make DIR');
}

async function makeClosure(directory: string): Promise<Closure> {
  mkdirSync(directory, { recursive: true });
  const store = createNixStore(directory);
  const list = join(directory, 'paths.txt');
  if (!existsSync(list)) {
    const packages = await buildDebianClosure(store, { directory, roots: FULL_ROOTS });
    writeFileSync(list, (await closureOf(store, packages)).join('\n'));
  }
  return { paths: readLines(list), root: store.root };
}

async function measureAll(
  closure: Closure,
  { work, runs }: { readonly work: string; readonly runs: number },
): Promise<readonly string[]> {
  const output = join(work, 'output.tar');
  const planFile = join(work, 'plan.json');
  const build = writeImageDescription(closure, work);
  const plan = [...PHYLLO, 'plan', ...build, '--json'];
  measure(plan, { stdout: planFile });
  verifySameLayers(closure, { work, planFile, build });

  const contenders = contendersFor(closure, { work, output, planFile, build });
  const results = interleave([...contenders, { name: 'phyllo plan', command: plan, to: 'stdout' }], {
    output,
    runs,
  });
  return [...machine(), '', ...describeClosure(closure, planFile), '', ...table(contenders, results)];
}

/** Mentioning every path in the configuration brings each into the image without links to them at /. */
function writeImageDescription(closure: Closure, work: string): readonly string[] {
  const file = join(work, 'image.json');
  const search = closure.paths.map((path) => `${path}/bin`).join(':');
  writeFileSync(file, JSON.stringify({ name: 'bench', tag: '1', config: { Env: [`PATH=${search}`] } }));
  const store = closure.root === '' ? 'auto' : closure.root;
  return [file, '--store', store, '--max-layers', String(MAX_LAYERS)];
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

function measure(command: readonly string[], { stdout }: { readonly stdout: string }): Measurement {
  const result = execFileSync('python3', [MEASURE, stdout, ...command], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return JSON.parse(result) as Measurement;
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
    ...[titles, titles.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`),
    '',
    `\`phyllo plan --json\`, the whole command: ${(secondsOf('phyllo plan stdout') * 1000).toFixed(0)} ms.`,
  ];
}

function machine(): readonly string[] {
  return [
    `- ${cpus()[0]?.model ?? 'unknown processor'}, ${availableParallelism()} cores, ${mebibytes(totalmem())} MiB, Linux ${release()}`,
    `- Node.js ${process.version}, ${versionOf('python3')}, ${versionOf('tar')}`,
  ];
}

function versionOf(program: string): string {
  return execFileSync(program, ['--version'], { encoding: 'utf8' }).split('\n')[0] ?? '';
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

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return ((sorted[Math.floor(middle)] ?? Number.NaN) + (sorted[Math.ceil(middle) - 1] ?? Number.NaN)) / 2;
}

function mebibytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(0);
}

function readLines(file: string): readonly string[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
}
