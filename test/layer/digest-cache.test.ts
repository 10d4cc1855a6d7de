import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { type Digest, finishDigest } from '../../src/digest.ts';
import {
  type CachedLayer,
  dayOf,
  type DigestCache,
  NO_CACHE,
  openDigestCache,
  SqliteDigestCache,
} from '../../src/layer/digest-cache.ts';
import { temporaryDirectory } from '../support/temporary.ts';

const TODAY = 20_000;
const MODULE = new URL('../../src/layer/digest-cache.ts', import.meta.url).href;

function digest(text: string): Digest {
  return finishDigest(createHash('sha256').update(text));
}

const KEY = digest('key');
const LAYER: CachedLayer = {
  diffID: digest('tar'),
  tarSize: 10_240,
  blobs: { gzip: { digest: digest('gzip'), size: 100 } },
  warnings: ['a sentence'],
};

function opened(file: string, today = TODAY): SqliteDigestCache {
  const cache = openDigestCache(file, today);
  assert.ok(cache instanceof SqliteDigestCache);
  return cache;
}

/** What another opening finds. */
function found(file: string, key = KEY): CachedLayer | undefined {
  return withCache(openDigestCache(file, TODAY), (cache) => cache.find(key));
}

function withCache<C extends DigestCache, T>(cache: C, use: (cache: C) => T): T {
  try {
    return use(cache);
  } finally {
    cache.close();
  }
}

/** A cache with one layer in it. */
function cacheWithLayer(directory: string, today = TODAY): string {
  const file = join(directory, 'below', 'digests.sqlite');
  withCache(opened(file, today), (cache) => {
    cache.add(KEY, LAYER);
  });
  return file;
}

function change(file: string, sql: string): void {
  const database = new DatabaseSync(file);
  database.exec(sql);
  database.close();
}

test('a layer is found as it was added, by later openings too', (context) => {
  const file = cacheWithLayer(temporaryDirectory(context));
  assert.deepEqual(found(file), LAYER);
  assert.equal(found(file, digest('another key')), undefined);
});

test('blobs of other encoders stay', (context) => {
  const file = cacheWithLayer(temporaryDirectory(context));
  const blobs = { zstd: { digest: digest('zstd'), size: 90 } };
  withCache(opened(file), (cache) => {
    cache.add(KEY, { ...LAYER, blobs });
    cache.add(KEY, { ...LAYER, blobs: {} });
  });
  assert.deepEqual(found(file)?.blobs, { ...LAYER.blobs, ...blobs });
});

test('blobs of another tar go', (context) => {
  const file = cacheWithLayer(temporaryDirectory(context));
  const other = { ...LAYER, diffID: digest('another tar'), blobs: {} };
  withCache(opened(file), (cache) => {
    cache.add(KEY, other);
  });
  assert.deepEqual(found(file), other);
});

for (const [what, sql] of [
  ['a changed digit', `UPDATE layers_1 SET entry = replace(entry, '10240', '10241')`],
  ['a changed checksum', `UPDATE layers_1 SET checksum = 'x' || checksum`],
  ['no JSON', `UPDATE layers_1 SET entry = '{'`],
] as const)
  test(`a row with ${what} is not believed, and can be replaced`, (context) => {
    const file = cacheWithLayer(temporaryDirectory(context));
    change(file, sql);
    assert.equal(found(file), undefined);
    withCache(opened(file), (cache) => {
      cache.add(KEY, LAYER);
    });
    assert.deepEqual(found(file), LAYER);
  });

test('a row under another key is not believed', (context) => {
  const file = cacheWithLayer(temporaryDirectory(context));
  const other = digest('another key');
  change(file, `UPDATE layers_1 SET key = '${other}'`);
  assert.equal(found(file, other), undefined);
});

for (const [what, entry] of [
  ['a digest that is none', { ...LAYER, diffID: 'sha256:0' }],
  ['a size that is none', { ...LAYER, tarSize: 0.5 }],
  ['a blob without a digest', { ...LAYER, blobs: { gzip: { size: 1 } } }],
  ['no blobs', { diffID: LAYER.diffID, tarSize: 1, warnings: [] }],
  ['nothing', null],
] as const)
  test(`an entry with ${what} counts as absent, though its checksum is right`, (context) => {
    const file = cacheWithLayer(temporaryDirectory(context));
    const text = JSON.stringify(entry);
    const checksum = createHash('sha256').update(`${KEY}\n${text}`).digest('base64');
    change(file, `UPDATE layers_1 SET entry = '${text}', checksum = '${checksum}'`);
    assert.equal(found(file), undefined);
  });

test('a file that is no database is replaced', (context) => {
  const file = cacheWithLayer(temporaryDirectory(context));
  writeFileSync(file, 'no database\n'.repeat(1000));
  assert.equal(found(file), undefined);
  withCache(opened(file), (cache) => {
    cache.add(KEY, LAYER);
  });
  assert.deepEqual(found(file), LAYER);
});

test('a truncated file is never believed, and layers can be added again', (context) => {
  const directory = temporaryDirectory(context);
  const { size } = statSync(cacheWithLayer(directory));
  for (let length = 0; length < size; length += 2048) {
    const file = cacheWithLayer(directory);
    truncateSync(file, length);
    const layer = found(file);
    assert.ok(layer === undefined || layer.diffID === LAYER.diffID, `${length} bytes`);
    withCache(openDigestCache(file, TODAY), (cache) => {
      cache.add(KEY, LAYER);
    });
    assert.deepEqual(found(file), LAYER, `after ${length} bytes`);
  }
});

test('flipped bits are never believed, and layers can be added again', (context) => {
  const directory = temporaryDirectory(context);
  const { size } = statSync(cacheWithLayer(directory));
  for (let at = 0; at < size; at += 769) {
    const file = cacheWithLayer(directory);
    const bytes = readFileSync(file);
    bytes[at] = (bytes[at] as number) ^ (1 << (at % 8));
    writeFileSync(file, bytes);
    const layer = found(file);
    assert.ok(layer === undefined || JSON.stringify(layer) === JSON.stringify(LAYER), `byte ${at}`);
    // The first build may notice the damage only while it works; the one after it finds a sound cache.
    for (let build = 0; build < 2; build += 1)
      withCache(openDigestCache(file, TODAY), (cache) => {
        cache.add(KEY, LAYER);
      });
    assert.deepEqual(found(file), LAYER, `after byte ${at}`);
  }
});

test("another program's database keeps its tables", (context) => {
  const file = join(temporaryDirectory(context), 'foreign.sqlite');
  change(file, `CREATE TABLE theirs (text TEXT); INSERT INTO theirs VALUES ('kept')`);
  withCache(openDigestCache(file, TODAY), (cache) => {
    cache.add(KEY, LAYER);
  });
  assert.deepEqual(found(file), LAYER);
  const database = new DatabaseSync(file);
  assert.deepEqual(database.prepare('SELECT text FROM theirs').all().length, 1);
  database.close();
});

test('a table of the same name with other columns is a cache that knows nothing', (context) => {
  const file = join(temporaryDirectory(context), 'foreign.sqlite');
  change(file, 'CREATE TABLE layers_1 (key INTEGER PRIMARY KEY, other BLOB)');
  withCache(openDigestCache(file, TODAY), (cache) => {
    cache.add(KEY, LAYER);
    assert.equal(cache.find(KEY), undefined);
  });
});

test('where no file can be there is no cache', (context) => {
  const directory = temporaryDirectory(context);
  writeFileSync(join(directory, 'file'), '');
  assert.equal(openDigestCache(join(directory, 'file', 'digests.sqlite'), TODAY), NO_CACHE);
  assert.equal(openDigestCache(directory, TODAY), NO_CACHE, 'a directory');
  NO_CACHE.add(KEY, LAYER);
  assert.equal(NO_CACHE.find(KEY), undefined);
  NO_CACHE.close();
});

test('a cache that another process is writing to is waited for, not replaced', (context) => {
  const file = cacheWithLayer(temporaryDirectory(context));
  const writer = new DatabaseSync(file);
  writer.exec('BEGIN IMMEDIATE');
  const { ino } = statSync(file);
  assert.deepEqual(found(file), LAYER);
  writer.exec('ROLLBACK');
  writer.close();
  assert.equal(statSync(file).ino, ino);
});

test('a cache that is locked is left alone', (context) => {
  const file = cacheWithLayer(temporaryDirectory(context));
  const owner = new DatabaseSync(file);
  owner.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; DELETE FROM layers_1');
  const { ino } = statSync(file);
  assert.equal(found(file), undefined);
  owner.exec('ROLLBACK');
  owner.close();
  assert.equal(statSync(file).ino, ino);
  assert.deepEqual(found(file), LAYER);
});

test('days without use are counted, and old layers forgotten', (context) => {
  const directory = temporaryDirectory(context);
  const file = cacheWithLayer(directory, TODAY - 30);
  const used = digest('used');
  withCache(opened(file, TODAY - 30), (cache) => {
    cache.add(used, LAYER);
  });
  withCache(opened(file, TODAY), (cache) => {
    assert.equal(cache.stat().entries, 2);
    assert.ok(cache.stat().size > 0);
    assert.deepEqual(cache.find(used), LAYER, 'which counts as use');
    assert.equal(cache.prune(30), 0);
    assert.equal(cache.prune(29), 1);
    assert.equal(cache.find(KEY), undefined);
    assert.deepEqual(cache.find(used), LAYER);
    assert.equal(cache.stat().entries, 1);
  });
});

test('closing twice is closing once', (context) => {
  const cache = opened(cacheWithLayer(temporaryDirectory(context)));
  cache.close();
  cache.close();
  assert.equal(cache.find(KEY), undefined);
});

test('days are whole days of 1970 and later', () => {
  assert.deepEqual([dayOf(0), dayOf(86_399_999), dayOf(86_400_000)], [0, 0, 1]);
});

const WRITER = `
  const { openDigestCache } = await import(process.argv[1]);
  const { createHash } = await import('node:crypto');
  const digest = (text) => 'sha256:' + createHash('sha256').update(text).digest('hex');
  const cache = openDigestCache(process.argv[2], ${TODAY});
  for (let i = 0; i < 40; i += 1) {
    cache.add(digest(process.argv[3] + i), { diffID: digest('tar'), tarSize: i, blobs: {}, warnings: [] });
    cache.add(digest('shared' + i), {
      diffID: digest('tar'), tarSize: i, warnings: [],
      blobs: { [process.argv[3]]: { digest: digest('blob'), size: 1 } },
    });
  }
  cache.close();
`;

test('processes add at once, also to a cache that none of them has found, and nothing is lost', async (context) => {
  const file = join(temporaryDirectory(context), 'digests.sqlite');
  const names = ['a', 'b', 'c', 'd'];
  const endings = names.map(async (name) => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', WRITER, MODULE, file, name]);
    return (await once(child, 'close')) as unknown[];
  });
  for (const [status] of await Promise.all(endings)) assert.equal(status, 0);
  withCache(opened(file), (cache) => {
    assert.equal(cache.stat().entries, 40 * (names.length + 1));
    for (let i = 0; i < 40; i += 1)
      assert.deepEqual(Object.keys(cache.find(digest(`shared${i}`))?.blobs ?? {}).sort(), names);
  });
  assert.ok(!existsSync(`${file}-wal`), 'the last one tidies up');
});
