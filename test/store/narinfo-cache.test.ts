import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { openNarinfoCache } from '../../src/store/narinfo-cache.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';

const directory = temporaryDirectory();
const CACHE = 'https://cache.example';
const NOW = 1_700_000_000;
let files = 0;

function newFile(): string {
  files += 1;
  return join(directory, `narinfos-${files}.sqlite`);
}

function filled(): string {
  const file = newFile();
  const cache = openNarinfoCache(file, { nowSeconds: NOW });
  cache.add(CACHE, 'there', 'StorePath: …\n');
  cache.add(CACHE, 'absent', undefined);
  cache.close();
  cache.close();
  return file;
}

test('answers last as long as Nix’s', () => {
  const file = filled();
  for (const [seconds, there, absent] of [
    [0, true, true],
    [3599, true, true],
    [3600, true, false],
    [30 * 86_400 - 1, true, false],
    [30 * 86_400, false, false],
    [-1, false, false],
  ] as const) {
    const cache = openNarinfoCache(file, { nowSeconds: NOW + seconds });
    assert.deepEqual(cache.find(CACHE, 'there'), there ? { text: 'StorePath: …\n' } : undefined);
    assert.deepEqual(cache.find(CACHE, 'absent'), absent ? { text: undefined } : undefined);
    assert.equal(cache.find('https://other.example', 'there'), undefined);
    cache.close();
  }
});

test('an entry that was changed is not believed', () => {
  const file = filled();
  const database = new DatabaseSync(file);
  database.exec("UPDATE narinfos_1 SET text = 'StorePath: other' WHERE file = 'there'");
  database.close();
  const cache = openNarinfoCache(file, { nowSeconds: NOW });
  assert.equal(cache.find(CACHE, 'there'), undefined);
  cache.close();
});

test('a file that is no database is replaced; one that cannot be is done without', () => {
  const file = newFile();
  writeFileSync(file, 'not a database, and long enough to look like a damaged one'.repeat(100));
  for (const place of [file, '/dev/null/narinfos.sqlite']) {
    const cache = openNarinfoCache(place, { nowSeconds: NOW });
    assert.equal(cache.find(CACHE, 'there'), undefined);
    cache.add(CACHE, 'there', 'x');
    cache.close();
  }
  const again = openNarinfoCache(file, { nowSeconds: NOW });
  assert.deepEqual(again.find(CACHE, 'there'), { text: 'x' });
  again.close();
});

test('several may write at once', () => {
  const file = newFile();
  const caches = Array.from({ length: 5 }, () => openNarinfoCache(file, { nowSeconds: NOW }));
  for (const [index, cache] of caches.entries()) cache.add(CACHE, `file-${index}`, String(index));
  for (const cache of caches) cache.close();
  const all = openNarinfoCache(file, { nowSeconds: NOW });
  for (const index of caches.keys())
    assert.deepEqual(all.find(CACHE, `file-${index}`), { text: String(index) });
  all.close();
});
