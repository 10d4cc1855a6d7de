import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { openNixDatabase } from '../../src/store/nix-database.ts';
import { hashPart } from '../../src/store/store-path.ts';
import type { Store } from '../../src/store/store.ts';
import { failsWith } from './support/errors.ts';
import { createDatabase, register } from './support/nix-schema.ts';
import { pathInfo, storePath } from './support/paths.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';

const temporary = temporaryDirectory();
let roots = 0;

/** A root with a database of `app` and `lib`; closed, so that there is no WAL. */
function newRoot(prepare: (database: DatabaseSync) => void = () => undefined): string {
  roots += 1;
  const root = join(temporary, `root${roots}`);
  const database = createDatabase(root);
  register(database, [pathInfo('lib', ['lib']), pathInfo('app', ['lib'])]);
  prepare(database);
  database.close();
  return root;
}

const app = pathInfo('app', ['lib']);
const lib = pathInfo('lib', ['lib']);
const both = [app, lib].sort((left, right) => (left.path < right.path ? -1 : 1));

async function readBoth(root: string): Promise<void> {
  const store = openNixDatabase({ root });
  assert.deepEqual((await store.closure([app.path])).paths, both);
  store.close();
  store.close();
}

test('a closure is read with all path info', () => readBoth(newRoot()));

test('the database need not be in WAL mode', () =>
  readBoth(newRoot((database) => database.exec('PRAGMA journal_mode = delete'))));

test('a path is found by its hash part', async () => {
  const store = openNixDatabase({ root: newRoot() });
  assert.equal(await store.findByHashPart(hashPart(app.path)), app.path);
  assert.equal(await store.findByHashPart('0'.repeat(32)), undefined);
  assert.equal(await store.findByHashPart('%'), undefined);
  store.close();
});

test('files are below the root', () => {
  const root = newRoot();
  const store = openNixDatabase({ root });
  assert.deepEqual(store.treeSource(app.path), { kind: 'directory', location: `${root}${app.path}` });
  store.close();
});

test('an unknown root is named', async () => {
  const store = openNixDatabase({ root: newRoot() });
  await assert.rejects(
    store.closure([storePath('gone')]),
    failsWith('STORE_PATH_UNKNOWN', storePath('gone')),
  );
  store.close();
});

/** Every path has this size, in SQL. */
function withSize(size: string): Store {
  return openNixDatabase({
    root: newRoot((database) => database.exec(`UPDATE ValidPaths SET narSize = ${size}`)),
  });
}

test('sizes above 2^31 are read; sizes that are missing or too large are errors', async () => {
  const large = await withSize('5000000000').closure([lib.path]);
  assert.equal(large.paths[0]?.narSize, 5_000_000_000);
  for (const size of ['NULL', '0']) {
    await assert.rejects(withSize(size).closure([lib.path]), failsWith('DATABASE_UNREADABLE', lib.path));
  }
  await assert.rejects(withSize('9007199254740993').closure([lib.path]), failsWith('DATABASE_UNREADABLE'));
});

test('a wrong hash, a wrong path and a lost reference are named', async () => {
  for (const damage of [
    "UPDATE ValidPaths SET hash = 'x'",
    "DELETE FROM ValidPaths WHERE path LIKE '%-lib'",
  ]) {
    const store = openNixDatabase({
      root: newRoot((database) => database.exec(`PRAGMA foreign_keys = off; ${damage}`)),
    });
    await assert.rejects(store.closure([app.path]), failsWith('DATABASE_UNREADABLE'));
  }
});

function databaseFile(root: string): string {
  return join(root, 'nix/var/nix/db/db.sqlite');
}

test('no database, no file, no SQLite, and no such tables are unreadable', async () => {
  assert.throws(
    () => openNixDatabase({ root: join(temporary, 'none') }),
    failsWith('DATABASE_UNREADABLE', join(temporary, 'none')),
  );
  const directory = join(temporary, 'directory');
  mkdirSync(databaseFile(directory), { recursive: true });
  assert.throws(() => openNixDatabase({ root: directory }), failsWith('DATABASE_UNREADABLE', directory));
  for (const content of ['not a database at all', '']) {
    const root = join(temporary, `content${content.length}`);
    mkdirSync(dirname(databaseFile(root)), { recursive: true });
    writeFileSync(databaseFile(root), content);
    await assert.rejects(
      openNixDatabase({ root }).closure([app.path]),
      failsWith('DATABASE_UNREADABLE', databaseFile(root)),
    );
  }
});

test('10,000 paths are read', { timeout: 20_000 }, async () => {
  const names = Array.from({ length: 10_000 }, (_, index) => `p${index}`);
  const root = newRoot((database) =>
    register(
      database,
      names.map((name, index) => pathInfo(name, names.slice(Math.max(0, index - 3), index))),
    ),
  );
  const store = openNixDatabase({ root });
  assert.equal((await store.closure([storePath('p9999')])).paths.length, 10_000);
  store.close();
});

test('what a writer has committed and not yet moved from the WAL is seen', async () => {
  const root = newRoot();
  const writer = new DatabaseSync(join(root, 'nix/var/nix/db/db.sqlite'));
  register(writer, [pathInfo('late', ['app'])]);
  const store = openNixDatabase({ root });
  assert.equal((await store.closure([storePath('late')])).paths.length, 3);
  writer.exec('BEGIN IMMEDIATE');
  assert.equal((await store.closure([storePath('late')])).paths.length, 3);
  writer.exec('ROLLBACK');
  store.close();
  writer.close();
});

test('another process may write all the time', { timeout: 60_000 }, async () => {
  const root = newRoot();
  const writer = fork(join(import.meta.dirname, 'support/write-database.ts'), [root], {
    execArgv: ['--disable-warning=ExperimentalWarning'],
  });
  try {
    await new Promise((resolve) => writer.once('message', resolve));
    const store = openNixDatabase({ root });
    const sizes = new Set<number>();
    for (let attempt = 0; attempt < 200; attempt += 1) {
      const newest = await store.findByHashPart(hashPart(storePath('newest')));
      const { paths } = await store.closure([newest ?? app.path]);
      // The writer registers paths and what they refer to in one transaction: a torn view would be incomplete.
      sizes.add(paths.length);
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.ok(sizes.size > 1, 'the writer wrote meanwhile');
    store.close();
  } finally {
    writer.kill();
  }
});

/** SQLite's own doing: root may write everywhere, so that only another user meets the guarded way. */
const asRoot = process.getuid?.() === 0;

/** Runs `act` as a user who may read and not write. */
async function asNobody(act: () => Promise<void>): Promise<void> {
  if (asRoot) process.seteuid?.(65_534);
  try {
    await act();
  } finally {
    if (asRoot) process.seteuid?.(0);
  }
}

function makeReadable(root: string): void {
  const directory = join(root, 'nix/var/nix/db');
  chmodSync(temporary, 0o755);
  for (const name of readdirSync(directory)) chmodSync(join(directory, name), 0o444);
  chmodSync(directory, 0o555);
}

test('a database that may not be written to is read, and nothing is left beside it', async () => {
  const root = newRoot();
  const directory = join(root, 'nix/var/nix/db');
  makeReadable(root);
  await asNobody(() => readBoth(root));
  assert.deepEqual(readdirSync(directory), ['db.sqlite']);
  chmodSync(directory, 0o755);
});

test('so is one with a WAL that was left behind', async () => {
  const root = newRoot();
  const file = join(root, 'nix/var/nix/db/db.sqlite');
  const writer = new DatabaseSync(file);
  register(writer, [pathInfo('late', ['app'])]);
  const copy = join(temporary, 'copy');
  const copied = join(copy, 'nix/var/nix/db/db.sqlite');
  mkdirSync(dirname(copied), { recursive: true });
  for (const suffix of ['', '-wal']) copyFileSync(file + suffix, copied + suffix);
  writer.close();
  makeReadable(copy);
  await asNobody(async () => {
    const store = openNixDatabase({ root: copy });
    assert.equal((await store.closure([storePath('late')])).paths.length, 3);
    store.close();
  });
  assert.ok(!existsSync(`${copied}-shm`));
  chmodSync(dirname(copied), 0o755);
  rmSync(copy, { recursive: true });
});
