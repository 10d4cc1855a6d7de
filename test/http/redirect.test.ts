import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isPrivateHost, resolveLocation } from '../../src/http/redirect.ts';
import { parseRetryAfter } from '../../src/http/retry.ts';

const PUBLIC = new URL('https://registry.example/v2/');

test('a location may be relative and carry a query', () => {
  assert.equal(
    resolveLocation('uploads/1?state=x', PUBLIC).href,
    'https://registry.example/v2/uploads/1?state=x',
  );
  assert.equal(resolveLocation('https://store.example/b', PUBLIC).href, 'https://store.example/b');
});

for (const location of [
  'http://registry.example/',
  'https://127.0.0.1/',
  'https://[::1]/',
  'https://10.1.2.3/x',
  'ftp://a/',
  'https://[::ffff:169.254.169.254]/',
]) {
  test(`a public host must not lead to ${location}`, () => {
    assert.throws(() => resolveLocation(location, PUBLIC), { code: 'NETWORK_FAILED' });
  });
}

test('a private host may lead to another one', () => {
  assert.equal(resolveLocation('http://10.0.0.2/', new URL('http://10.0.0.1/')).href, 'http://10.0.0.2/');
});

test('private hosts', () => {
  for (const host of [
    'localhost',
    'a.localhost',
    '127.8.8.8',
    '[::1]',
    '192.168.1.1',
    '172.31.0.1',
    '[fe80::1]',
  ])
    assert.ok(isPrivateHost(host), host);
  for (const host of ['example.com', '172.32.0.1', '8.8.8.8', '[2001:db8::1]', 'localhost.example'])
    assert.ok(!isPrivateHost(host), host);
});

test('Retry-After in its two forms', () => {
  const now = Date.parse('2020-01-01T00:00:00Z');
  assert.equal(parseRetryAfter('7', now), 7000);
  assert.equal(parseRetryAfter('Wed, 01 Jan 2020 00:00:05 GMT', now), 5000);
  assert.equal(parseRetryAfter('Tue, 31 Dec 2019 00:00:05 GMT', now), 0);
  assert.equal(parseRetryAfter('soon', now), undefined);
  assert.equal(parseRetryAfter(undefined, now), undefined);
});
