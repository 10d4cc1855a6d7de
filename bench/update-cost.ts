/**
 * What a release costs the clients of an image: for each planner, over histories of package graphs.
 *
 *     node bench/update-cost.ts [DIR] [--json] [--layers 100,40,20] [--planners steady,auto]
 *
 * DIR (default: bench/corpora) holds histories as *.json.gz; those named *.content.* have content-addressed paths, others
 * input-addressed ones. For each history, over all its updates:
 *
 *     bound     bytes of the store paths that the image before does not have
 *     cost      bytes of the layers that the image before does not have, divided by the bound
 *     extract   bytes from the first differing layer upward, divided by the bound
 *     planMs    mean milliseconds of one plan
 *
 * and the geometric means of all histories of one kind. Bytes are narSizes, and the number of layers is that of store layers. A planner
 * with history gets its own last plan and record, as read back from JSON.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { gunzipSync } from 'node:zlib';
import type { Digest } from '../src/digest.ts';
import { type Layering, planLayers, type PlannedLayers } from '../src/plan/plan-layers.ts';
import type { PreviousLayers } from '../src/plan/steady.ts';
import type { Closure, PathInfo } from '../src/store/store.ts';
import type { StorePath } from '../src/store/store-path.ts';

type Model = 'nix' | 'content';

interface History {
  readonly name: string;
  readonly model: Model;
  readonly closures: readonly Closure[];
}

interface Snapshot {
  readonly nodes: readonly {
    readonly path: string;
    readonly narSize: number;
    readonly references: readonly number[];
  }[];
}

interface Result {
  readonly cost: number;
  readonly extract: number;
  readonly planMs: number;
}

interface Row extends Result {
  readonly planner: string;
  readonly layers: number;
  readonly history: History;
}

/** An image as a client sees it: its layers by identity, bottom to top, and the paths in them. */
interface Image {
  readonly layers: readonly { readonly id: string; readonly size: number }[];
  readonly paths: ReadonlyMap<string, number>;
}

interface Planner {
  readonly name: string;
  readonly layering: (previous: PreviousLayers | undefined) => Layering;
  /** Instead of the number that is asked for. */
  readonly layers?: number;
}

const NAR_HASH = `sha256:${'0'.repeat(64)}` as Digest;
const MODELS = ['nix', 'content'] as const;
const PLANNERS: readonly Planner[] = [
  { name: 'steady', layering: () => ({ kind: 'steady' }) },
  {
    name: 'steady+previous',
    layering: (previous) => ({ kind: 'steady', ...(previous === undefined ? {} : { previous }) }),
  },
  {
    // As if the image carried no record of changes.
    name: 'steady+layers',
    layering: (previous) => ({
      kind: 'steady',
      ...(previous === undefined ? {} : { previous: { layers: previous.layers } }),
    }),
  },
  { name: 'auto', layering: () => ({ kind: 'auto' }) },
  { name: 'popularity', layering: () => ({ kind: 'popularity' }) },
  { name: 'one layer', layering: () => ({ kind: 'popularity' }), layers: 1 },
];

function main(): void {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { json: { type: 'boolean' }, layers: { type: 'string' }, planners: { type: 'string' } },
  });
  const directory = positionals[0] ?? join(import.meta.dirname, 'corpora');
  const counts = (values.layers ?? '100,40,20').split(',').map(Number);
  const planners = PLANNERS.filter(({ name }) => values.planners?.split(',').includes(name) ?? true);
  const rows = readHistories(directory).flatMap((history) =>
    planners.flatMap((planner) => counts.map((layers) => measure(history, planner, layers))),
  );
  if (values.json === true) console.log(JSON.stringify(meansAsJson(rows), undefined, 2));
  else console.log([...historyTables(rows, counts), ...meanTables(rows, counts)].join('\n'));
}

function readHistories(directory: string): readonly History[] {
  const files = readdirSync(directory).filter((file) => file.endsWith('.json.gz'));
  return files.sort().map((file) => readHistory(join(directory, file), file.replace('.json.gz', '')));
}

function readHistory(file: string, name: string): History {
  const model = name.includes('.content') ? 'content' : 'nix';
  const { snapshots } = JSON.parse(gunzipSync(readFileSync(file)).toString()) as {
    readonly snapshots: readonly Snapshot[];
  };
  return { name, model, closures: snapshots.map((snapshot) => closureOf(snapshot, model)) };
}

function closureOf({ nodes }: Snapshot, model: Model): Closure {
  const ca = model === 'content' ? { ca: 'fixed:r:sha256:unknown' } : {};
  const paths = nodes.map(({ path, narSize, references }): PathInfo => ({
    path: path as StorePath,
    narHash: NAR_HASH,
    narSize,
    references: references.map((place) => nodes[place]!.path as StorePath).sort(),
    ...ca,
  }));
  return { storeDir: '/nix/store', roots: [], paths };
}

function measure(history: History, planner: Planner, layers: number): Row {
  let [cost, extract, bound, milliseconds] = [0, 0, 0, 0];
  let previous: PreviousLayers | undefined;
  let before: Image | undefined;
  for (const closure of history.closures) {
    const start = performance.now();
    const plan = planClosure(closure, planner, { previous, layers });
    milliseconds += performance.now() - start;
    previous = previousOf(plan);
    const image = imageOf(plan);
    if (before !== undefined) {
      cost += bytesToSend(before, image);
      extract += bytesToUnpack(before, image);
      bound += bytesOfNewPaths(before, image);
    }
    before = image;
  }
  const planMs = milliseconds / history.closures.length;
  return { planner: planner.name, layers, history, cost: cost / bound, extract: extract / bound, planMs };
}

function planClosure(
  closure: Closure,
  planner: Planner,
  { previous, layers }: { readonly previous: PreviousLayers | undefined; readonly layers: number },
): PlannedLayers {
  const maxLayers = (planner.layers ?? layers) + 1;
  return planLayers(closure, { layering: planner.layering(previous), maxLayers, baseLayers: 0 });
}

/** Through JSON, as an image would carry it. */
function previousOf({ layers, changes }: PlannedLayers): PreviousLayers {
  const paths = layers.map((layer) => layer.paths.map(({ path }) => path));
  return JSON.parse(JSON.stringify({ layers: paths, changes })) as PreviousLayers;
}

function imageOf({ layers }: PlannedLayers): Image {
  return {
    layers: layers.map(({ paths, narSize }) => ({
      id: paths.map(({ path }) => path).join(),
      size: narSize,
    })),
    paths: new Map(layers.flatMap(({ paths }) => paths.map(({ path, narSize }) => [path, narSize]))),
  };
}

function bytesToSend(before: Image, after: Image): number {
  const known = new Set(before.layers.map(({ id }) => id));
  return sum(after.layers.filter(({ id }) => !known.has(id)).map(({ size }) => size));
}

/** A layer's chain ID includes all layers below it. */
function bytesToUnpack(before: Image, after: Image): number {
  const first = after.layers.findIndex(({ id }, place) => before.layers[place]?.id !== id);
  return first === -1 ? 0 : sum(after.layers.slice(first).map(({ size }) => size));
}

function bytesOfNewPaths(before: Image, after: Image): number {
  return sum(Array.from(after.paths, ([path, size]) => (before.paths.has(path) ? 0 : size)));
}

function meansAsJson(rows: readonly Row[]): unknown {
  const entries = PLANNERS.map(({ name }) => name).filter((name) =>
    rows.some(({ planner }) => planner === name),
  );
  return Object.fromEntries(
    entries.map((name) => [name, modelsAsJson(rows.filter(({ planner }) => planner === name))]),
  );
}

function modelsAsJson(rows: readonly Row[]): unknown {
  const models = MODELS.filter((model) => rows.some(({ history }) => history.model === model));
  return Object.fromEntries(
    models.map((model) => {
      const own = rows.filter(({ history }) => history.model === model);
      const byLayers = Map.groupBy(own, ({ layers }) => layers);
      return [model, Object.fromEntries(Array.from(byLayers, ([layers, some]) => [layers, meanOf(some)]))];
    }),
  );
}

function meanOf(rows: readonly Row[]): Result {
  return {
    cost: geometricMean(rows.map(({ cost }) => cost)),
    extract: geometricMean(rows.map(({ extract }) => extract)),
    planMs: geometricMean(rows.map(({ planMs }) => planMs)),
  };
}

function* historyTables(rows: readonly Row[], counts: readonly number[]): Generator<string> {
  for (const [history, some] of Map.groupBy(rows, (row) => row.history)) {
    yield `### ${history.name}: ${history.closures.length} closures, the last of ${history.closures.at(-1)!.paths.length} paths\n`;
    yield* table(some, counts);
  }
}

function* meanTables(rows: readonly Row[], counts: readonly number[]): Generator<string> {
  for (const [model, some] of Map.groupBy(rows, ({ history }) => history.model)) {
    yield `### ${model}: geometric means of ${new Set(some.map(({ history }) => history)).size} histories\n`;
    yield* table(some, counts);
  }
}

function* table(rows: readonly Row[], counts: readonly number[]): Generator<string> {
  const columns = (unit: string): string => counts.map((count) => `${unit} ${count}`).join(' | ');
  yield `| planner | ${columns('cost')} | ${columns('extract')} | ${columns('ms')} |`;
  yield `|---|${'---:|'.repeat(3 * counts.length)}`;
  for (const [planner, some] of Map.groupBy(rows, (row) => row.planner)) {
    const means = counts.map((count) => meanOf(some.filter(({ layers }) => layers === count)));
    const cells = [
      ...means.map(({ cost }) => cost.toFixed(3)),
      ...means.map(({ extract }) => extract.toFixed(2)),
      ...means.map(({ planMs }) => planMs.toFixed(1)),
    ];
    yield `| ${planner} | ${cells.join(' | ')} |`;
  }
  yield '';
}

function geometricMean(values: readonly number[]): number {
  return Math.exp(sum(values.map(Math.log)) / values.length);
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
}

main();
