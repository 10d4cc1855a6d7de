/**
 * How long planning takes, and how much memory, on synthetic closures and a real one.
 *
 *     node bench/planning.ts [--paths 1000,10000,100000] [--graph FILE] [--layers 100] [--runs 1] [--strategies steady,auto]
 *
 * FILE is what `nix path-info --json --closure-size --recursive` or `exportReferencesGraph` write. Every plan is the first one of a process
 * of its own, in which nothing is compiled yet; the time is that of `planLayers` alone, from path infos to layers; the processor's time is of
 * all threads, the compiler's too; the memory is the peak of the whole process, the closure included. Medians of the runs. `steady+previous`
 * plans after a plan of `steady` of an image in which every 50th path was another. Prints Markdown.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { Digest } from '../src/digest.ts';
import { type Layering, planLayers } from '../src/plan/plan-layers.ts';
import type { PreviousLayers } from '../src/plan/steady.ts';
import type { PathInfo } from '../src/store/store.ts';
import type { StorePath } from '../src/store/store-path.ts';

interface Result {
  readonly paths: number;
  readonly layers: number;
  readonly milliseconds: number;
  readonly cpuMilliseconds: number;
  readonly peakBytes: number;
}

/** Refers to others by their place. */
interface SyntheticPath {
  readonly narSize: number;
  readonly references: readonly number[];
}

const SHAPES = ['mixed', 'local', 'chain'] as const;
type Shape = (typeof SHAPES)[number];
const STRATEGIES = ['steady', 'steady+previous', 'popularity', 'auto', 'pipeline'] as const;
type Strategy = (typeof STRATEGIES)[number];
const REFERENCES = 8;
/** One path of so many was another in the image before. */
const CHANGED = 50;
/** Until what loading the program left to other threads is done. */
const PAUSE_MS = 300;
const SEED = 1;
const NAR_HASH = `sha256:${'0'.repeat(64)}` as Digest;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      paths: { type: 'string', default: '1000,10000,100000' },
      graph: { type: 'string' },
      layers: { type: 'string', default: '100' },
      runs: { type: 'string', default: '1' },
      strategies: { type: 'string', default: STRATEGIES.join(',') },
      case: { type: 'string' },
    },
  });
  const maxLayers = Number(values.layers);
  if (values.case !== undefined) {
    process.stdout.write(JSON.stringify(await runCase(values.case, maxLayers)));
    return;
  }
  const closures = values.paths.split(',').flatMap((size) => SHAPES.map((shape) => `${shape}:${size}`));
  if (values.graph !== undefined) closures.push(`file:${values.graph}`);
  const strategies = STRATEGIES.filter((strategy) => values.strategies.split(',').includes(strategy));
  console.log('| closure | paths | strategy | layers | ms | processor ms | peak MB |');
  console.log('|---|---:|---|---:|---:|---:|---:|');
  for (const closure of closures) {
    for (const strategy of strategies) printCase({ closure, strategy, maxLayers, runs: Number(values.runs) });
  }
}

interface Case {
  readonly closure: string;
  readonly strategy: Strategy;
  readonly maxLayers: number;
  readonly runs: number;
}

function printCase({ closure, strategy, maxLayers, runs }: Case): void {
  const previous = strategy === 'steady+previous' ? runChild(`before:${closure}`, maxLayers) : '';
  const results = Array.from({ length: runs }, () => {
    return JSON.parse(runChild(`${strategy}:${closure}`, maxLayers, previous)) as Result;
  });
  const { paths, layers } = results[0]!;
  const median = (number: (result: Result) => number): string =>
    results
      .map(number)
      .sort((a, b) => a - b)
      [runs >> 1]!.toFixed(0);
  const numbers = [
    median(({ milliseconds }) => milliseconds),
    median(({ cpuMilliseconds }) => cpuMilliseconds),
    median(({ peakBytes }) => peakBytes / 1e6),
  ];
  console.log(`| ${closure.split(':')[0]} | ${paths} | ${strategy} | ${layers} | ${numbers.join(' | ')} |`);
}

function runChild(name: string, maxLayers: number, input = ''): string {
  const args = [import.meta.filename, '--case', name, '--layers', String(maxLayers)];
  return execFileSync(process.execPath, args, { encoding: 'utf8', input, maxBuffer: 2 ** 28 });
}

/** @param name `strategy:shape:size` or `strategy:file:FILE` */
async function runCase(name: string, maxLayers: number): Promise<Result | PreviousLayers> {
  const [strategy, shape, ...rest] = name.split(':');
  const where = rest.join(':');
  const paths = shape === 'file' ? readGraph(where) : syntheticPaths(shape as Shape, Number(where));
  if (strategy === 'before') return planBefore(paths, maxLayers);
  const layering = layeringOf(strategy as Strategy, paths);
  await setTimeout(PAUSE_MS);
  const start = performance.now();
  const cpuStart = process.cpuUsage();
  const { layers } = planLayers(
    { storeDir: '/nix/store', roots: [], paths },
    { layering, maxLayers, baseLayers: 0 },
  );
  const milliseconds = performance.now() - start;
  const { user, system } = process.cpuUsage(cpuStart);
  const peakBytes = process.resourceUsage().maxRSS * 1024;
  const cpuMilliseconds = (user + system) / 1000;
  return { paths: paths.length, layers: layers.length, milliseconds, cpuMilliseconds, peakBytes };
}

/** The layers of an image in which every 50th path has another hash. */
function planBefore(paths: readonly PathInfo[], maxLayers: number): PreviousLayers {
  const { layers } = planLayers(
    { storeDir: '/nix/store', roots: [], paths },
    { layering: { kind: 'steady' }, maxLayers, baseLayers: 0 },
  );
  const changed = new Set(paths.filter((_, place) => place % CHANGED === 0).map(({ path }) => path));
  const before = (path: StorePath): string =>
    changed.has(path) ? path.replace(/\w{8}-/, '00000000-') : path;
  return { layers: layers.map((layer) => layer.paths.map(({ path }) => before(path))) };
}

/** Five operations that walk the graph and one that limits. */
function layeringOf(strategy: Strategy, paths: readonly PathInfo[]): Layering {
  if (strategy === 'steady+previous')
    return { kind: 'steady', previous: JSON.parse(readFileSync(0, 'utf8')) as PreviousLayers };
  if (strategy !== 'pipeline') return { kind: strategy };
  const at = (share: number): string | undefined => paths[Math.floor(share * (paths.length - 1))]?.path;
  const pipeline = [
    ['subcomponent_out', [at(0.9)]],
    ['over', 'main', ['pipe', [['popularity_contest'], ['limit_layers', 30]]]],
    ['over', 'rest', ['split_paths', [at(0.5), { children_of: at(0.1) }]]],
    ['flatten'],
    ['limit_layers', 90],
  ];
  return { kind: 'pipeline', pipeline };
}

/** Seeded: the same on every machine. Path 0 is the only root of `chain`. */
function syntheticPaths(shape: Shape, count: number): readonly PathInfo[] {
  const random = randomNumbers(SEED);
  const nodes = Array.from({ length: count }, (_, place): SyntheticPath => ({
    narSize: Math.round(Math.exp(4 + 16 * random())),
    references: referencesOf(shape, place, { count, random }),
  }));
  const paths = nodes.map((_, place) => storePathAt(place));
  return nodes.map(({ narSize, references }, place) => ({
    path: paths[place]!,
    narHash: NAR_HASH,
    narSize,
    references: references.map((reference) => paths[reference]!).sort(),
  }));
}

/**
 * mixed: a few hubs that everything leads to, the next path of a long chain, near paths and far ones.
 * local: all within the next 100, which makes counts of thousands of bits.
 */
function referencesOf(
  shape: Shape,
  place: number,
  { count, random }: { readonly count: number; readonly random: () => number },
): readonly number[] {
  const left = count - place - 1;
  if (left === 0) return [];
  const within = (distance: number): number => place + 1 + Math.floor(random() * Math.min(distance, left));
  if (shape === 'chain') return [place + 1];
  if (shape === 'local') return unique(Array.from({ length: REFERENCES }, () => within(100)));
  const hubs = [0, 1].map(() => count - 1 - Math.floor(left * random() ** 8));
  const near = random() < 0.5 ? [place + 1] : [within(50)];
  return unique([
    ...hubs,
    ...near,
    ...Array.from({ length: REFERENCES - 3 }, () => within(random() < 0.3 ? 200 : left)),
  ]);
}

function unique(places: readonly number[]): readonly number[] {
  return [...new Set(places)];
}

function storePathAt(place: number): StorePath {
  // Any bijection will do, so that paths do not sort as they refer to each other.
  const hash = ((place * 2_654_435_761) % 2 ** 32).toString().padStart(32, '0');
  return `/nix/store/${hash}-package-${place}` as StorePath;
}

/** 0 to 1. @see "Mulberry32": a generator of 32 bits of state */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function readGraph(file: string): readonly PathInfo[] {
  const json = JSON.parse(readFileSync(file, 'utf8')) as unknown;
  const graph = (json as { readonly graph?: unknown }).graph ?? json;
  const entries = Array.isArray(graph)
    ? (graph as readonly PathInfo[])
    : Object.entries(graph as Readonly<Record<string, PathInfo>>).map(([path, info]) =>
        Object.assign({}, info, { path }),
      );
  return entries.map(({ path, narSize, references }) => ({
    path,
    narHash: NAR_HASH,
    narSize,
    references,
  }));
}

await main();
