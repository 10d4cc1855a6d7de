import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { findMentions, resolveMentions } from '../../src/store/mentions.ts';
import { hashPart } from '../../src/store/store-path.ts';
import { failsWith } from './support/errors.ts';
import { storePath } from './support/paths.ts';

const hello = storePath('hello-2.12');
const bash = storePath('bash');

function find(value: unknown): readonly (readonly [string, string])[] {
  return findMentions(value, '/nix/store').map(({ text, place }) => [place, text] as const);
}

test('mentions are found in strings, lists, objects and keys, in order', () => {
  const value = {
    Cmd: [`${hello}/bin/hello`, 'none'],
    Env: [`PATH=${bash}/bin:${hello}/bin`],
    Labels: { 'org.example': `see ${bash}.`, [`${hello}/x`]: '' },
    n: 1,
    no: null,
  };
  assert.deepEqual(find({ config: value }), [
    ['config.Cmd[0]', hello],
    ['config.Env[0]', bash],
    ['config.Env[0]', hello],
    ['config.Labels["org.example"]', `${bash}.`],
    [`config.Labels["${hello}/x"]`, hello],
  ]);
});

test('a string may be the whole value', () => {
  assert.deepEqual(find(`x${hello}`), [['', hello]]);
});

test('a path is found once in each place', () => {
  assert.equal(find([`${hello} ${hello}/bin`, hello]).length, 2);
});

for (const text of [
  '/nix/store',
  '/nix/store/',
  '/nix/store/short-x',
  hello.replace('-', '_'),
  hello.replace('/nix/', '/other/'),
  `/nix/store/${'e'.repeat(32)}-x`,
]) {
  test(`no mention: ${text}`, () => {
    assert.deepEqual(find(text), []);
  });
}

test('another store directory is looked for alone', () => {
  const path = storePath('x', '/home/me/store');
  assert.deepEqual(
    findMentions([path, hello], '/home/me/store').map(({ text }) => text),
    [path],
  );
});

test('long and deep values are searched in linear time', { timeout: 10_000 }, () => {
  assert.deepEqual(find('/nix/store/'.repeat(500_000)), []);
  assert.equal(find(Array.from({ length: 200_000 }, () => `${hello}:`)).length, 200_000);
  let deep: unknown = hello;
  for (let depth = 0; depth < 50_000; depth += 1) deep = [deep];
  assert.equal(find(deep).length, 1);
});

const store = {
  findByHashPart: async (hash: string) => [hello, bash].find((path) => hashPart(path) === hash),
};

function resolve(value: unknown) {
  return resolveMentions(findMentions(value, '/nix/store'), store);
}

test('mentions are resolved to paths, ascending, each once', async () => {
  assert.deepEqual(await resolve([hello, `${bash}.`, `${hello}/bin`]), [bash, hello].sort());
});

test('every unknown mention is named with its place', async () => {
  const attempt = resolve({ Env: [storePath('gone'), hello, storePath('lost')] });
  await assert.rejects(
    attempt,
    failsWith('MENTION_UNKNOWN', storePath('gone'), 'Env[0]', storePath('lost'), 'Env[2]'),
  );
});

test("a hash with another path's name is unknown", async () => {
  await assert.rejects(resolve(hello.replace('hello', 'hallo')), failsWith('MENTION_UNKNOWN', 'hallo'));
  await assert.rejects(resolve(hello.slice(0, -1)), failsWith('MENTION_UNKNOWN'));
});

test('any JSON is searched', () => {
  fc.assert(fc.property(fc.jsonValue(), (value) => void find(value)));
});
