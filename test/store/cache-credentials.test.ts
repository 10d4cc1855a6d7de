import assert from 'node:assert/strict';
import { test } from 'node:test';
import { authorizationFor, parseNetrc } from '../../src/store/cache-credentials.ts';

const NETRC = `
# a comment with machine nobody login x password y
machine cache.example login me password "se \\"cret"
machine other.example
  login you account unused
  password p
macdef init
machine inside.a.macro login x password y

default login anybody password guest
`;
const basic = (pair: string): string => `Basic ${Buffer.from(pair).toString('base64')}`;
const at = (href: string, user?: { name: string; password: string }) => ({ url: new URL(href), user });

test('netrc: machines in order, then the default', () => {
  const credentials = { logins: parseNetrc(NETRC), tokens: new Map<string, string>() };
  assert.equal(authorizationFor(at('https://cache.example/x'), credentials), basic('me:se "cret'));
  assert.equal(authorizationFor(at('https://other.example:8443'), credentials), basic('you:p'));
  assert.equal(authorizationFor(at('https://inside.a.macro'), credentials), basic('anybody:guest'));
});

test("the address's user goes before a token, and that before netrc", () => {
  const credentials = { logins: parseNetrc(NETRC), tokens: new Map([['cache.example', 't']]) };
  const named = at('https://cache.example', { name: 'a', password: 'b' });
  assert.equal(authorizationFor(named, credentials), basic('a:b'));
  assert.equal(authorizationFor(at('https://cache.example'), credentials), 'Bearer t');
  assert.equal(authorizationFor(at('https://cache.example:8443'), credentials), basic('me:se "cret'));
  assert.equal(authorizationFor(at('https://cache.example')), undefined);
});
