/** What the benchmarks of whole builds share: the closure, measured processes, and parts of the report. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { buildDebianClosure, FULL_ROOTS } from '../test/integration/support/debian-closure.ts';
import { closureOf, createNixStore } from '../test/integration/support/nix.ts';

export interface Closure {
  /** All of them; every one is in the image. */
  readonly paths: readonly string[];
  /** The directory below which /nix/store is; empty for the machine's own. */
  readonly root: string;
  /** The environment in which Nix has this store. */
  readonly env: Readonly<Record<string, string>>;
}

export interface Measurement {
  readonly seconds: number;
  readonly userSeconds: number;
  readonly systemSeconds: number;
  /** Of the largest process. */
  readonly maxRssBytes: number;
}

export const PHYLLO = [process.execPath, join(import.meta.dirname, '../bin/phyllo.cjs')];
export const STREAMER = ['python3', join(import.meta.dirname, 'streamer.py')];
const MEASURE = join(import.meta.dirname, 'measure.py');

/** From `--paths FILE`, or `--make DIR`, where it is made once. */
export async function readClosure(source: {
  readonly paths?: string;
  readonly make?: string;
}): Promise<Closure> {
  if (source.paths !== undefined) return { paths: readLines(source.paths), root: '', env: {} };
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
  return { paths: readLines(list), root: store.root, env: store.env };
}

/** The arguments of `phyllo build` that describe an image of all paths, which are mentioned in its configuration and not linked at /. */
export function writeImageDescription(closure: Closure, directory: string): readonly string[] {
  const file = join(directory, 'image.json');
  const search = closure.paths.map((path) => `${path}/bin`).join(':');
  writeFileSync(file, JSON.stringify({ name: 'bench', tag: '1', config: { Env: [`PATH=${search}`] } }));
  return [file, '--store', closure.root === '' ? 'auto' : closure.root];
}

export function measure(command: readonly string[], { stdout }: { readonly stdout: string }): Measurement {
  const result = execFileSync('python3', [MEASURE, stdout, ...command], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return JSON.parse(result) as Measurement;
}

/** Lines for a report: the machine, how busy it is, and the version of each program. */
export function machine(programs: readonly string[]): readonly string[] {
  return [
    `- ${cpus()[0]?.model ?? 'unknown processor'}, ${availableParallelism()} cores, ${mebibytes(totalmem())} MiB, Linux ${release()}, load average ${(loadavg()[0] ?? 0).toFixed(1)} at the start`,
    `- ${[`Node.js ${process.version}`, ...programs.map(versionOf)].join(', ')}`,
  ];
}

function versionOf(program: string): string {
  return execFileSync(program, ['--version'], { encoding: 'utf8' }).split('\n')[0] ?? '';
}

export function markdownTable(rows: readonly (readonly string[])[]): readonly string[] {
  const [titles = [], ...others] = rows;
  return [titles, titles.map(() => '---'), ...others].map((cells) => `| ${cells.join(' | ')} |`);
}

export function readRuns(text: string): number {
  const runs = Number(text);
  if (!Number.isSafeInteger(runs) || runs < 1) throw new TypeError('--runs is a number of 1 or more');
  return runs;
}

export function print(lines: readonly string[]): void {
  process.stdout.write(`${lines.join('\n')}\n`);
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return ((sorted[Math.floor(middle)] ?? Number.NaN) + (sorted[Math.ceil(middle) - 1] ?? Number.NaN)) / 2;
}

export function mebibytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(0);
}

export function readLines(file: string): readonly string[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
}
