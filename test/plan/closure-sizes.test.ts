import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { closureSizes } from '../../src/plan/closure-sizes.ts';
import { indexReferences, reachable } from '../../src/plan/reference-graph.ts';
import { infosOf, randomGraph, written } from './graphs.ts';

test('a closure is a path and all below it, each once', () => {
  const graph = indexReferences(
    infosOf(written({ top: [1, 'a', 'b'], a: [10, 'low'], b: [100, 'low'], low: [1000] })),
  );
  const sizes = closureSizes(graph);
  const found = Object.fromEntries(graph.infos.map(({ path }, id) => [path.replace(/^.*-/, ''), sizes[id]]));
  assert.deepEqual(found, {
    top: { narSize: 1111, paths: 4 },
    a: { narSize: 1010, paths: 2 },
    b: { narSize: 1100, paths: 2 },
    low: { narSize: 1000, paths: 1 },
  });
});

test('closures of random graphs are what a walk reaches', () => {
  fc.assert(
    fc.property(randomGraph(80), (paths) => {
      const graph = indexReferences(infosOf(paths));
      const walked = graph.infos.map((_, id) => {
        const reached = reachable(graph.references, [id]);
        const within = graph.infos.filter((_, other) => reached[other] === 1);
        return { narSize: within.reduce((sum, { narSize }) => sum + narSize, 0), paths: within.length };
      });
      assert.deepEqual(closureSizes(graph), walked);
    }),
  );
});
