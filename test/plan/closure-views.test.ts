import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  closureToJson,
  renderChain,
  renderClosure,
  renderClosureTree,
} from '../../src/plan/closure-views.ts';
import { chainTo, shortestChains } from '../../src/plan/reference-chains.ts';
import type { Closure } from '../../src/store/store.ts';
import type { StorePath } from '../../src/store/store-path.ts';
import { pathInfo, storePath } from '../store/support/paths.ts';

const [top, left, right, base, other] = ['top', 'left', 'right', 'base', 'other'].map((name) =>
  storePath(name),
) as [StorePath, StorePath, StorePath, StorePath, StorePath];
const CLOSURE: Closure = {
  storeDir: '/nix/store',
  roots: [top, other].toSorted(),
  paths: [
    { ...pathInfo('top', ['left', 'right']), narSize: 1024 },
    { ...pathInfo('left', ['left', 'base']), narSize: 2048 },
    { ...pathInfo('right', ['base']), narSize: 3 * 1024 },
    { ...pathInfo('base'), narSize: 10 * 1024 },
    { ...pathInfo('other'), narSize: 512 },
  ].toSorted((one, two) => (one.path < two.path ? -1 : 1)),
};

test('a chain is the shortest, and the first of those', () => {
  const [via] = [left, right].toSorted();
  assert.equal(renderChain(base, CLOSURE), `${top}\n└───${via}\n    └───${base}\n`);
  assert.equal(renderChain(other, CLOSURE), `${other}\n`);
  assert.equal(renderChain(storePath('absent'), CLOSURE), undefined);
});

test('JSON has sizes, chains and each root’s closure', () => {
  const { narSize, roots, paths } = closureToJson(CLOSURE);
  assert.equal(narSize, 16.5 * 1024);
  assert.deepEqual(
    new Map(roots.map(({ path, closureSize }) => [path, closureSize])),
    new Map([
      [top, 16 * 1024],
      [other, 512],
    ]),
  );
  assert.deepEqual(
    paths.map(({ path }) => path),
    [base, right, left, top, other],
  );
  assert.deepEqual(paths[1]?.chain, [top, right]);
});

test('a table has the largest path first and the total last', () => {
  const lines = renderClosure(CLOSURE).split('\n');
  assert.match(lines[0] as string, /^ {2}10\.0 KiB {2}\/nix\/store\/.*-base$/);
  assert.match(lines[5] as string, /16\.5 KiB {2}5 store paths/);
});

test('a tree has every path once', () => {
  const tree = renderClosureTree(CLOSURE);
  for (const path of [top, left, right, base, other]) assert.equal(tree.split(path).length, 2);
});

test('a chain of references may have any length', () => {
  const names = Array.from({ length: 20_000 }, (_, index) => `p${String(index).padStart(5, '0')}`);
  const paths = names.map((name, index) => pathInfo(name, names.slice(index + 1, index + 2)));
  const closure = { storeDir: '/nix/store', roots: [storePath('p00000')], paths };
  assert.equal(chainTo(storePath('p19999'), shortestChains(closure))?.length, 20_000);
});
