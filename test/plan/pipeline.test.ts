import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { PhylloError } from '../../src/errors.ts';
import { planPipeline } from '../../src/plan/pipeline.ts';
import { indexReferences, withoutPaths } from '../../src/plan/reference-graph.ts';
import {
  infosOf,
  namesOf,
  pathsOf,
  randomGraph,
  readVectors,
  shuffledGraph,
  storePath,
  type VectorPath,
  written,
} from './graphs.ts';

interface PipelineCase {
  readonly name: string;
  readonly note: string;
  readonly graph: string;
  readonly pipeline: unknown;
  readonly excludePaths?: readonly string[];
  readonly expected: { readonly layers?: readonly (readonly string[])[]; readonly raised?: string };
}

const { cases, graphs } = readVectors('pipeline.json') as {
  readonly cases: readonly PipelineCase[];
  readonly graphs: Readonly<Record<string, readonly VectorPath[]>>;
};

/** Where the reference fails by accident: the sizes of the layers that its user meant. */
const MEANT: Readonly<Record<string, readonly number[]>> = {
  identity: [8],
  'limit-one-too-many': [1, 1, 1, 1, 1, 1, 1, 1],
  'limit-many': [1, 1, 1, 1, 1, 1, 1, 1],
  'remove-bare': [7],
  'over-both-flatten-limit': [1, 2, 1, 4],
  'empty-identity': [],
  'empty-popularity': [],
  'empty-every': [],
  'empty-out': [],
  combined: [1, 1, 1, 4, 8, 1, 24],
  'combined-limit-too-large': [1, 1, 13, 1, 1, 1, 1, 21],
};

const POSITIONS: Readonly<Record<string, string>> = {
  'limit-0': 'pipeline[1].limit_layers',
  'split-bad-spec': 'pipeline[0].split_paths[0]',
  'every-0': 'pipeline[0].split_every',
  'over-missing-key': 'pipeline[1].over',
  'map-graph': 'pipeline[0].map',
  'flatten-graph': 'pipeline[0].flatten',
  'limit-dict': 'pipeline[1].limit_layers',
  'popularity-twice': 'pipeline[1].popularity_contest',
  'unknown-operation': 'pipeline[0]',
  'missing-argument': 'pipeline[1].limit_layers',
};

for (const one of cases) test(`${one.name}: ${one.note}`, () => checkCase(one));

const graph = written({ app: [5, 'lib', 'tool'], tool: [10, 'libc'], lib: [20, 'libc'], libc: [30] });

test('reports all that is wrong with a pipeline at once', () => {
  const message = failureOf(graph, [
    ['nothing'],
    ['over', 'main'],
    ['pipe', [['limit_layers', 1.5]]],
    'reverse',
  ]);
  const places = ['pipeline[0]:', 'pipeline[1].over:', 'pipeline[2].pipe[0].limit_layers:', 'pipeline[3]:'];
  for (const place of places) assert.ok(message.includes(place), `${place} in ${message}`);
});

test('takes nothing but a list', () => {
  for (const pipeline of [null, {}, 'auto', 3, [[]], [null]]) failureOf(graph, pipeline);
});

test('warns of paths that are unknown or left out', () => {
  const { warnings } = planPipeline(indexReferences(infosOf(graph)), [
    ['remove_paths', [storePath('lib'), '/nix/store/unknown']],
  ]);
  assert.equal(warnings.length, 2);
  assert.ok(warnings[0]!.startsWith('pipeline[0].remove_paths: /nix/store/unknown '));
});

test('does nothing over a part of split_paths that came out empty', () => {
  const { layers, warnings } = planPipeline(indexReferences(infosOf(graph)), [
    ['split_paths', [storePath('app')]],
    ['over', 'common', ['popularity_contest']],
  ]);
  assert.equal(layers.length, 1);
  assert.equal(warnings.length, 1);
});

test('names the branch of each layer', () => {
  const { layers } = planPipeline(indexReferences(infosOf(graph)), [
    ['split_paths', [storePath('lib')]],
    ['over', 'rest', ['subcomponent_in', [storePath('tool')]]],
  ]);
  assert.deepEqual(namesOf(layers), [['lib'], ['libc'], ['app', 'tool']]);
  assert.deepEqual(
    layers.map(({ reason }) => (reason.kind === 'pipeline' ? reason.branch : undefined)),
    ['main', 'common', 'rest.main'],
  );
});

test('keeps no references between graphs that were merged', () => {
  const { layers } = planPipeline(indexReferences(infosOf(graph)), [
    ['popularity_contest'],
    ['limit_layers', 1],
    ['map', ['popularity_contest']],
  ]);
  // Four paths that nothing refers to: by name.
  assert.deepEqual(namesOf(layers), [['app'], ['lib'], ['libc'], ['tool']]);
});

const pipelines = fc.constantFrom<unknown>(
  [],
  [['popularity_contest'], ['limit_layers', 4]],
  [['split_every', 3], ['map', ['popularity_contest']], ['flatten'], ['reverse'], ['limit_layers', 7]],
  [
    ['subcomponent_out', [storePath('a-3')]],
    ['over', 'rest', ['split_every', 2]],
  ],
  [
    ['subcomponent_in', [storePath('b-7')]],
    ['over', 'main', ['popularity_contest']],
  ],
  [
    ['split_paths', [storePath('a-1'), { children_of: storePath('b-2') }]],
    ['over', 'common', ['split_every', 1]],
  ],
);

test('puts every path in exactly one layer', () => {
  fc.assert(
    fc.property(randomGraph(), pipelines, (graph, pipeline) => {
      const { layers } = planPipeline(indexReferences(infosOf(graph)), pipeline);
      assert.deepEqual(pathsOf(layers).flat().sort(), graph.map(({ path }) => path).sort());
    }),
  );
});

test('does not depend on the order of the input', () => {
  fc.assert(
    fc.property(shuffledGraph(), pipelines, ({ graph, shuffled }, pipeline) => {
      const [a, b] = [graph, shuffled].map((paths) =>
        planPipeline(indexReferences(infosOf(paths)), pipeline),
      );
      assert.deepEqual(b, a);
    }),
  );
});

function checkCase({ name, graph: graphName, pipeline, excludePaths, expected }: PipelineCase): void {
  const paths = graphs[graphName]!;
  const infos = withoutPaths(infosOf(paths), new Set(excludePaths));
  if (name === 'dangling') {
    assert.throws(() => indexReferences(infos), isError('CLOSURE_INCOMPLETE'));
    return;
  }
  const graph = indexReferences(infos);
  // The reference keeps the input's order where sizes tie; without `order` it is that of the paths.
  const order = infos
    .map((info) => graph.idOf.get(info.path)!)
    .sort((a, b) => graph.infos[a]!.narSize - graph.infos[b]!.narSize);
  const run = (): readonly (readonly string[])[] => pathsOf(planPipeline(graph, pipeline, { order }).layers);
  // An empty graph is no layer.
  if (expected.layers !== undefined)
    assert.deepEqual(
      run(),
      expected.layers.filter(({ length }) => length > 0),
    );
  else if (MEANT[name] !== undefined)
    assert.deepEqual(
      run().map(({ length }) => length),
      MEANT[name],
    );
  else
    assert.throws(
      run,
      (error) => isError('PIPELINE_INVALID')(error) && String(error).includes(`${POSITIONS[name]}: found`),
    );
}

function isError(code: string): (error: unknown) => boolean {
  return (error) => error instanceof PhylloError && error.code === code;
}

function failureOf(graph: readonly VectorPath[], pipeline: unknown): string {
  try {
    planPipeline(indexReferences(infosOf(graph)), pipeline);
  } catch (error) {
    assert.ok(error instanceof PhylloError && error.code === 'PIPELINE_INVALID');
    return error.message;
  }
  return assert.fail('the pipeline was accepted');
}
