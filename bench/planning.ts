/**
 * How long planning takes, and how much memory, on synthetic closures and a real one.
 *
 *     node bench/planning.ts [--paths 1000,10000,100000] [--graph FILE]
 *
 * FILE is what `nix path-info --json --closure-size --recursive` or `exportReferencesGraph` write. Every case runs in a process of
 * its own; the time is that of `planLayers` alone, from path infos to layers; the memory is the peak of the whole process, the closure
 * included. Prints Markdown.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { Digest } from '../src/digest.ts';
import { type Layering, planLayers } from '../src/plan/plan-layers.ts';
import type { PathInfo } from '../src/store/store.ts';
import type { StorePath } from '../src/store/store-path.ts';

interface Result {
  readonly paths: number;
  readonly layers: number;
  readonly milliseconds: number;
  readonly peakBytes: number;
}

/** Refers to others by their place. */
interface SyntheticPath {
  readonly narSize: number;
  readonly references: readonly number[];
}

const SHAPES = ['mixed', 'local', 'chain'] as const;
type Shape = (typeof SHAPES)[number];
const STRATEGIES = ['steady', 'popularity', 'auto', 'pipeline'] as const;
type Strategy = (typeof STRATEGIES)[number];
const REFERENCES = 8;
const MAX_LAYERS = 100;
const SEED = 1;
const NAR_HASH = `sha256:${'0'.repeat(64)}` as Digest;

function main(): void {
  const { values } = parseArgs({
    options: { paths: { type: 'string' }, graph: { type: 'string' }, case: { type: 'string' } },
  });
  if (values.case !== undefined) {
    process.stdout.write(JSON.stringify(runCase(values.case)));
    return;
  }
  const sizes = values.paths?.split(',') ?? ['1000', '10000', '100000'];
  const closures = sizes.flatMap((size) => SHAPES.map((shape) => `${shape}:${size}`));
  if (values.graph !== undefined) closures.push(`file:${values.graph}`);
  console.log('| closure | paths | strategy | layers | ms | peak MB |\n|---|---:|---|---:|---:|---:|');
  for (const closure of closures) for (const strategy of STRATEGIES) printCase(closure, strategy);
}

function printCase(closure: string, strategy: Strategy): void {
  const output = execFileSync(process.execPath, [import.meta.filename, '--case', `${strategy}:${closure}`], {
    encoding: 'utf8',
    maxBuffer: 2 ** 20,
  });
  const { paths, layers, milliseconds, peakBytes } = JSON.parse(output) as Result;
  const name = closure.split(':')[0];
  const numbers = `${layers} | ${milliseconds.toFixed(0)} | ${(peakBytes / 1e6).toFixed(0)}`;
  console.log(`| ${name} | ${paths} | ${strategy} | ${numbers} |`);
}

/** @param name `strategy:shape:size` or `strategy:file:FILE` */
function runCase(name: string): Result {
  const [strategy, shape, ...rest] = name.split(':');
  const where = rest.join(':');
  const paths = shape === 'file' ? readGraph(where) : syntheticPaths(shape as Shape, Number(where));
  const layering = layeringOf(strategy as Strategy, paths);
  const start = performance.now();
  const { layers } = planLayers(
    { storeDir: '/nix/store', roots: [], paths },
    { layering, maxLayers: MAX_LAYERS, baseLayers: 0 },
  );
  const milliseconds = performance.now() - start;
  const peakBytes = process.resourceUsage().maxRSS * 1024;
  return { paths: paths.length, layers: layers.length, milliseconds, peakBytes };
}

/** Five operations that walk the graph and one that limits. */
function layeringOf(strategy: Strategy, paths: readonly PathInfo[]): Layering {
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

main();
