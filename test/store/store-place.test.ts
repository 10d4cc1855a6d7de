import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CachePlace, parseStorePlace } from '../../src/store/store-place.ts';
import { failsWith } from './support/errors.ts';

function cachesOf(text: string): readonly CachePlace[] {
  const place = parseStorePlace(text);
  assert.ok(place.kind === 'caches');
  return place.caches;
}

test('roots', () => {
  assert.deepEqual(parseStorePlace('auto'), { kind: 'root', root: '/' });
  assert.deepEqual(parseStorePlace('/a b,c'), { kind: 'root', root: '/a b,c' });
});

test('several caches, with what their addresses say', () => {
  const [first, second, third] = cachesOf(
    'https://me:p%40ss@cache.example/dir?priority=3&compression=zstd, file:///a?trusted=false\nhttp://host:1',
  );
  assert.ok(first?.kind === 'http' && third?.kind === 'http');
  assert.equal(first.url.href, 'https://cache.example/dir');
  assert.deepEqual(first.user, { name: 'me', password: 'p@ss' });
  assert.equal(first.priority, 3);
  assert.deepEqual(second, { kind: 'directory', directory: '/a', priority: undefined, trusted: false });
  assert.equal(third.url.host, 'host:1');
  assert.equal(third.user, undefined);
});

test("a directory's name may have a comma or a space", () => {
  const [only, more] = cachesOf('file:///a, b');
  assert.ok(only?.kind === 'directory' && more === undefined);
  assert.equal(only.directory, '/a, b');
});

for (const [text, href] of [
  ['s3://bucket', 'https://bucket.s3.us-east-1.amazonaws.com/'],
  ['s3://bucket?region=eu-west-1', 'https://bucket.s3.eu-west-1.amazonaws.com/'],
  ['s3://bucket?endpoint=minio.example:9000&scheme=http', 'http://minio.example:9000/bucket'],
  ['s3://bucket?endpoint=https://minio.example', 'https://minio.example/bucket'],
] as const) {
  test(`${text} is ${href}`, () => {
    const [cache] = cachesOf(text);
    assert.ok(cache?.kind === 'http');
    assert.equal(cache.url.href, href);
  });
}

for (const text of ['', ' ', 'ssh://host', 'https://', 'https://a, b', 'file:///a?priority=-1']) {
  test(`none: ${JSON.stringify(text)}`, () => {
    assert.throws(() => parseStorePlace(text), failsWith('STORE_UNSUPPORTED'));
  });
}

test('a password is in no message', () => {
  assert.throws(
    () => parseStorePlace('https://me:secret@?x'),
    (error: Error) => !error.message.includes('secret'),
  );
});
