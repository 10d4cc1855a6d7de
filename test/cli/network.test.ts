import assert from 'node:assert/strict';
import { test } from 'node:test';
import { proxiesFrom } from '../../src/cli/network.ts';
import { UsageError } from '../../src/cli/usage-error.ts';

const NONE = { http: undefined, https: undefined, no: undefined };

for (const [environment, expected] of [
  [{}, NONE],
  [{ http_proxy: '', HTTPS_PROXY: '' }, NONE],
  [{ http_proxy: 'http://a:1' }, { ...NONE, http: 'http://a:1/' }],
  [{ HTTP_PROXY: 'http://a:1' }, { ...NONE, http: 'http://a:1/' }],
  [{ HTTP_PROXY: 'http://a:1', REQUEST_METHOD: 'GET' }, NONE],
  [
    { HTTPS_PROXY: 'b:2', https_proxy: 'a:1', NO_PROXY: 'c' },
    { ...NONE, https: 'http://a:1/', no: 'c' },
  ],
  [{ ALL_PROXY: 'http://u:p@a:1' }, { ...NONE, http: 'http://u:p@a:1/', https: 'http://u:p@a:1/' }],
  [
    { all_proxy: 'a:1', https_proxy: 'https://b:2' },
    { ...NONE, http: 'http://a:1/', https: 'https://b:2/' },
  ],
] as const) {
  test(`proxies of ${JSON.stringify(environment)}`, () => {
    assert.deepEqual(proxiesFrom(environment), expected);
  });
}

for (const value of ['socks5://me:secret@host:1', 'http://', 'http://a:port'])
  test(`no proxy: ${value}`, () => {
    assert.throws(
      () => proxiesFrom({ https_proxy: value }),
      (error: unknown) => error instanceof UsageError && !error.message.includes('secret'),
    );
  });
