/** Images as large as one likes, for reports: an old one, a new one, and what a store knows of the new one. The same every time. */
import type { Digest } from '../../src/digest.ts';
import type { SeenImage, SeenLayer } from '../../src/plan/update-cost.ts';
import type { ReportParts } from '../../src/report/make-report.ts';
import type { PathInfo } from '../../src/store/store.ts';
import type { StorePath } from '../../src/store/store-path.ts';

export interface SampleShape {
  readonly paths: number;
  readonly layers: number;
}

/**
 * Path 0 is the only root; each other path is referred to by some before it. In the new image every seventh path is another build, every
 * fiftieth has a new name; layers are runs of paths, the last paths at the bottom.
 */
export function sampleReport({ paths, layers }: SampleShape): ReportParts {
  const infos = sampleClosure(paths);
  const runs = Array.from({ length: layers }, (_, layer) => {
    const [from, to] = [layer, layer + 1].map((at) => Math.floor((at * paths) / layers)) as [number, number];
    return infos.slice(from, to);
  }).reverse();
  const seen = { ...imageOf(runs.map((run) => run.map(({ path }) => path))), origin: 'new' };
  const old = { ...imageOf(runs.map((run) => run.map(({ path }) => oldPath(path)))), origin: 'old' };
  const roots = [infos[0]!.path];
  const closure = {
    storeDir: '/nix/store',
    roots,
    paths: infos.toSorted((a, b) => (a.path < b.path ? -1 : 1)),
  };
  return { seen, summary: undefined, contents: seen.layers.map(() => undefined), closure, previous: old };
}

function sampleClosure(count: number): readonly PathInfo[] {
  const random = generator(1);
  const paths = Array.from({ length: count }, (_, at) => samplePath(at, 'n'));
  const references = paths.map((): StorePath[] => []);
  for (let at = 1; at < count; at++) {
    for (let times = 0; times < 5; times++) {
      const referrer = references[Math.floor(random() * Math.min(at, 400))]!;
      if (!referrer.includes(paths[at]!)) referrer.push(paths[at]!);
    }
  }
  return paths.map((path, at) => ({
    path,
    narHash: `sha256:${'0'.repeat(64)}` as Digest,
    narSize: Math.floor(2 ** (8 + 16 * random())),
    references: references[at]!.sort(),
  }));
}

const WORDS = ['lib', 'python', 'font', 'gtk', 'ssl', 'perl', 'ruby', 'data'];

function samplePath(at: number, build: string): StorePath {
  const hash = `${build}${String(at).padStart(31, '0')}`;
  return `/nix/store/${hash}-${WORDS[at % WORDS.length]}-part${at}-1.${at % 10}` as StorePath;
}

function oldPath(path: StorePath): string {
  const at = Number(/-part(\d+)-/.exec(path)?.[1]);
  if (at % 50 === 0) return path.replace('-part', '-former');
  return at % 7 === 0 ? samplePath(at, 'a') : path;
}

function imageOf(layers: readonly (readonly string[])[]): SeenImage {
  const seen = layers.map((paths): SeenLayer => ({
    kind: 'store',
    diffID: `sha256:${paths.join()}`,
    digest: `sha256:${paths.join()}`,
    size: 1000 * paths.length,
    paths,
    label: `${paths[0]!.slice(44)} and ${paths.length - 1} more`,
  }));
  return { layers: seen, pathSizes: new Map(), measure: 'stored' };
}

/** Numbers from 0 to below 1. @see Numerical Recipes, "An Even Quicker Generator" */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
