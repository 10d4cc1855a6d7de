/**
 * Digests of plans: what a change of a planner that is to change no plan must leave as it is.
 *
 *     node test/plan/digest-plans.ts > test/golden/plans.json     # remakes the golden file, after a change that is meant to
 *
 * For histories of `bench/corpora`, a package graph of 561 paths and a random one: the plans of every planner, with few layers and
 * many, over several releases, each after its own last one where it takes one.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { type Layering, planLayers, type PlannedLayers } from '../../src/plan/plan-layers.ts';
import type { PreviousLayers } from '../../src/plan/steady.ts';
import type { Closure, PathInfo } from '../../src/store/store.ts';
import { infosOf, readVectors, type VectorPath } from './graphs.ts';

const RELEASES = 4;
const LIMITS = [100, 40, 20, 5];
const PLANNERS = ['steady', 'steady+previous', 'auto', 'popularity', 'pipeline'] as const;
type Planner = (typeof PLANNERS)[number];
const HISTORIES = ['deb-git-testing', 'deb-multi1-testing', 'npm-next'];

interface Node {
  readonly path: string;
  readonly name: string;
  readonly narSize: number;
  readonly references: readonly number[];
}

/** By history, planner and number of layers. */
export function digestPlans(): Readonly<Record<string, string>> {
  const digests: Record<string, string> = {};
  for (const [name, releases] of histories()) {
    for (const planner of PLANNERS) {
      for (const limit of LIMITS) {
        const plans = planReleases(releases, planner, limit);
        digests[`${name} ${planner} ${limit}`] = createHash('sha256')
          .update(plans)
          .digest('hex')
          .slice(0, 32);
      }
    }
  }
  return digests;
}

function* histories(): Generator<readonly [string, readonly Closure[]]> {
  for (const name of HISTORIES) {
    const releases = readReleases(name);
    yield [`${name} nix`, releases.map((nodes) => closureOf(nodes, () => false))];
    yield [`${name} content`, releases.map((nodes) => closureOf(nodes, () => true))];
    yield [`${name} mixed`, releases.map((nodes) => closureOf(nodes, ({ name }) => name.length % 2 === 0))];
  }
  const { graphs } = readVectors('auto-layer.json') as {
    readonly graphs: Readonly<Record<string, readonly VectorPath[]>>;
  };
  for (const name of ['packages-561', 'random-200']) {
    yield [name, [{ storeDir: '/nix/store', roots: [], paths: infosOf(graphs[name]!) }]];
  }
}

/** The first ones and the last. */
function readReleases(name: string): readonly (readonly Node[])[] {
  const file = new URL(`../../bench/corpora/${name}.nix.json.gz`, import.meta.url);
  const { snapshots } = JSON.parse(gunzipSync(readFileSync(file)).toString()) as {
    readonly snapshots: readonly { readonly nodes: readonly Node[] }[];
  };
  return [...snapshots.slice(0, RELEASES - 1), ...snapshots.slice(-1)].map(({ nodes }) => nodes);
}

function closureOf(nodes: readonly Node[], isByContent: (node: Node) => boolean): Closure {
  const infos = infosOf(
    nodes.map(({ path, narSize, references }) => ({
      path,
      narSize,
      references: references.map((place) => nodes[place]!.path),
    })),
  );
  const paths = infos.map((info, place): PathInfo =>
    isByContent(nodes[place]!) ? { ...info, ca: 'fixed:r:sha256:unknown' } : info,
  );
  return { storeDir: '/nix/store', roots: [], paths };
}

function planReleases(releases: readonly Closure[], planner: Planner, limit: number): string {
  let previous: PreviousLayers | undefined;
  const plans = releases.map((closure) => {
    const layering = layeringOf(planner, closure, previous);
    const plan = planLayers(closure, { layering, maxLayers: limit + 1, baseLayers: 0 });
    previous = previousOf(plan);
    return { previous, reasons: plan.layers.map(({ reason }) => reason) };
  });
  return JSON.stringify(plans);
}

function layeringOf(planner: Planner, { paths }: Closure, previous: PreviousLayers | undefined): Layering {
  if (planner === 'steady+previous')
    return { kind: 'steady', ...(previous === undefined ? {} : { previous }) };
  if (planner !== 'pipeline') return { kind: planner };
  const [first, middle] = [paths[0]!.path, paths[paths.length >> 1]!.path];
  const pipeline = [
    ['split_paths', [first, middle]],
    ['over', 'rest', ['popularity_contest']],
    ['flatten'],
    ['limit_layers', 5],
  ];
  return { kind: 'pipeline', pipeline };
}

function previousOf({ layers, changes }: PlannedLayers): PreviousLayers {
  const paths = layers.map((layer) => layer.paths.map(({ path }) => path));
  return { layers: paths, ...(changes === undefined ? {} : { changes }) };
}

if (import.meta.main) console.log(JSON.stringify(digestPlans(), undefined, 1));
