/** What real Nix writes is read, and says the same as Nix. */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { openBinaryCache } from './support/directory-store.ts';
import { scanDirectoryTree } from '../../src/store/directory-tree.ts';
import { openExportedGraph } from '../../src/store/exported-graph.ts';
import { visitNar } from '../../src/store/nar-tree.ts';
import { openNixDatabase } from '../../src/store/nix-database.ts';
import type { StorePath } from '../../src/store/store-path.ts';
import type { Closure, Store } from '../../src/store/store.ts';
import { EventLog } from './support/events.ts';
import { createRealNix, skipWithoutNix, type RealNix } from './support/real-nix.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';

const temporary = temporaryDirectory();

/** A tree with everything a NAR can hold, names in an order that differs by byte and by code point included. */
function createSource(): string {
  const source = mkdtempSync(join(temporary, 'source-'));
  const at = (name: string) => Buffer.concat([Buffer.from(`${source}/`), Buffer.from(name, 'latin1')]);
  writeFileSync(join(source, 'empty'), '');
  writeFileSync(join(source, 'program'), '#!/bin/sh\n');
  chmodSync(join(source, 'program'), 0o755);
  writeFileSync(join(source, 'large'), Buffer.alloc(1_000_003, 'large'));
  mkdirSync(join(source, 'nothing'));
  symlinkSync('../x'.repeat(700), join(source, 'link'));
  for (const name of ['\x80', '\xc3\xa9', '\xef\xbc\xa1', '\xff', ' ', 'z\n'])
    writeFileSync(at(name), name, 'latin1');
  return source;
}

/** Three paths in the store: `top` refers to `middle`, and that to `tree`. */
function fillStore(nix: RealNix): StorePath {
  const tree = nix.run('nix-store', '--add', createSource());
  const add = (name: string, text: string) => {
    const expression = `builtins.toFile "${name}" "\${builtins.storePath ${text}}"`;
    return nix
      .run('nix-instantiate', '--eval', '--read-write-mode', '--expr', expression)
      .replaceAll('"', '');
  };
  return add('top', add('middle', tree)) as StorePath;
}

function infos({ paths }: Closure) {
  return paths.map(({ path, narHash, narSize, references, ca }) => ({
    path,
    narHash,
    narSize,
    references,
    ca,
  }));
}

describe('real Nix', { skip: skipWithoutNix }, () => {
  let nix: RealNix;
  let top: StorePath;
  let local: Store;

  before(() => {
    nix = createRealNix(temporary);
    top = fillStore(nix);
    local = openNixDatabase({ root: nix.root });
  });

  test('the database gives the closure that nix-store gives', async () => {
    const { paths } = await local.closure([top]);
    const expected = nix.run('nix-store', '--query', '--requisites', top).split('\n').sort();
    assert.equal(expected.length, 3);
    assert.deepEqual(
      paths.map(({ path }) => path),
      expected,
    );
  });

  test('nix path-info --json says the same as the database', async () => {
    const file = join(temporary, 'graph.json');
    writeFileSync(file, nix.run('nix', 'path-info', '--json', '--recursive', top));
    const graph = await openExportedGraph({ file, storeRoot: nix.root });
    assert.deepEqual(await graph.closure([top]), await local.closure([top]));
    assert.deepEqual(graph.treeSource(top), local.treeSource(top));
  });

  for (const compression of ['none', 'xz', 'zstd']) {
    test(`a binary cache says the same, its NARs hold the same trees: ${compression}`, async () => {
      const directory = join(temporary, `cache-${compression}`);
      const to = `file://${directory}?compression=${compression}`;
      nix.plain('nix', 'copy', '--no-check-sigs', '--from', `local?root=${nix.root}`, '--to', to, top);
      const cache = openBinaryCache({ directory });
      const closure = await cache.closure([top]);
      assert.deepEqual(infos(closure), infos(await local.closure([top])));
      for (const { path } of closure.paths) await compareTrees(cache, path);
    });
  }

  test('a dump of any tree is read as the tree is', async () => {
    const { paths } = await local.closure([top]);
    for (const { path, narHash, narSize } of paths) {
      const source = local.treeSource(path);
      const location = join(temporary, 'dump.nar');
      writeFileSync(location, nix.plain('nix-store', '--dump', source.location));
      const log = new EventLog();
      await visitNar({ kind: 'nar', location, compression: 'none', narHash, narSize }, log);
      assert.deepEqual(
        log.told.map(({ entry }) => entry),
        [...scanDirectoryTree(source.location)],
      );
    }
  });

  async function compareTrees(cache: Store, path: StorePath): Promise<void> {
    const source = cache.treeSource(path);
    assert.ok(source.kind === 'nar');
    const log = new EventLog();
    await visitNar(source, log);
    assert.deepEqual(
      log.told.map(({ entry }) => entry),
      [...scanDirectoryTree(local.treeSource(path).location)],
    );
  }
});
