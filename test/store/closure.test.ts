import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { completeClosure } from '../../src/store/closure.ts';
import type { StorePath } from '../../src/store/store-path.ts';
import type { Closure, PathInfo } from '../../src/store/store.ts';
import { failsWith } from './support/errors.ts';
import { pathInfo, storePath } from './support/paths.ts';

/** References by name; a name that is no key is missing from the store. */
type References = Readonly<Record<string, readonly string[]>>;

function complete(references: References, ...roots: readonly string[]): Promise<Closure> {
  const infos = new Map(
    Object.entries(references).map(([name, others]) => [storePath(name), pathInfo(name, others)]),
  );
  return completeClosure(
    roots.map((root) => storePath(root)),
    {
      storeDir: '/nix/store',
      lookUp: async (paths) => paths.map((path) => infos.get(path)),
    },
  );
}

function sorted(...names: readonly string[]): readonly StorePath[] {
  return names.map((name) => storePath(name)).sort();
}

test('the closure has what the roots refer to, directly or not, and nothing else', async () => {
  const closure = await complete({ a: ['b'], b: ['c'], c: [], d: ['a'] }, 'a');
  assert.deepEqual(
    closure.paths.map(({ path }) => path),
    sorted('a', 'b', 'c'),
  );
  assert.deepEqual(closure.roots, sorted('a'));
  assert.equal(closure.storeDir, '/nix/store');
});

test('roots are ascending, each once', async () => {
  const closure = await complete({ a: [], b: [], c: [] }, 'c', 'a', 'c', 'b');
  assert.deepEqual(closure.roots, sorted('a', 'b', 'c'));
});

test('no roots make an empty closure', async () => {
  assert.deepEqual(await complete({ a: [] }), { storeDir: '/nix/store', roots: [], paths: [] });
});

test('a self reference is no cycle', async () => {
  const closure = await complete({ a: ['a', 'b'], b: ['b'] }, 'a');
  assert.equal(closure.paths.length, 2);
});

test('a root that is not there is unknown', async () => {
  await assert.rejects(
    complete({ a: [] }, 'a', 'x', 'y'),
    failsWith('STORE_PATH_UNKNOWN', storePath('x'), storePath('y')),
  );
});

test('every missing path is named with one that refers to it', async () => {
  await assert.rejects(
    complete({ a: ['b', 'x'], b: ['y'] }, 'a'),
    failsWith('CLOSURE_INCOMPLETE', storePath('x'), storePath('a'), storePath('y'), storePath('b')),
  );
});

test('a cycle is named in order, without what only leads to it', async () => {
  const attempt = complete({ a: ['b'], b: ['c'], c: ['d'], d: ['b', 'e'], e: [] }, 'a');
  await assert.rejects(attempt, (error: Error) => {
    failsWith('CLOSURE_CYCLE', storePath('b'), storePath('c'), storePath('d'))(error);
    assert.doesNotMatch(error.message, new RegExp(`${storePath('a')}|${storePath('e')}`));
    const places = ['b', 'c', 'd'].map((name) => error.message.indexOf(storePath(name)));
    const [b = 0, c = 0, d = 0] = places;
    assert.ok((b < c && c < d) || (c < d && d < b) || (d < b && b < c), error.message);
    return true;
  });
});

test('a chain of 100,000 paths is completed', { timeout: 30_000 }, async () => {
  const length = 100_000;
  const references = Object.fromEntries(
    Array.from({ length }, (_, index) => [`p${index}`, index + 1 < length ? [`p${index + 1}`] : []]),
  );
  assert.equal((await complete(references, 'p0')).paths.length, length);
});

test('each path is asked for once, whole generations at a time', async () => {
  const infos = new Map(
    ['a', 'b', 'c', 'd'].map((name) => [storePath(name), pathInfo(name, name === 'a' ? ['b', 'c'] : ['d'])]),
  );
  infos.set(storePath('d'), pathInfo('d'));
  const asked: number[] = [];
  const lookUp = (paths: readonly StorePath[]): (PathInfo | undefined)[] => {
    asked.push(paths.length);
    return paths.map((path) => infos.get(path));
  };
  await completeClosure([storePath('a')], { storeDir: '/nix/store', lookUp });
  assert.deepEqual(asked, [1, 2, 1]);
});

test('any acyclic graph gives what a plain search reaches', async () => {
  const graph = fc.array(fc.array(fc.nat({ max: 19 }), { maxLength: 4 }), { minLength: 1, maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(graph, fc.nat(), async (edges, seed) => {
      const references = Object.fromEntries(
        edges.map((others, index) => [
          `p${index}`,
          [...new Set(others.filter((other) => other < index).map((other) => `p${other}`))],
        ]),
      );
      const root = `p${seed % edges.length}`;
      const reached = new Set([root]);
      for (const name of reached) for (const other of references[name] ?? []) reached.add(other);
      const closure = await complete(references, root);
      assert.deepEqual(
        closure.paths.map(({ path }) => path),
        sorted(...reached),
      );
    }),
  );
});
