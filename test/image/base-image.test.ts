import assert from 'node:assert/strict';
import { test } from 'node:test';
import { baseHistory, inheritConfig, mergeEnv } from '../../src/image/base-image.ts';

test("variables: the base's come first, own values take their places, others follow", () => {
  assert.deepEqual(
    mergeEnv(['PATH=/usr/bin', 'LANG=C', 'KEEP=1'], ['LANG=de_DE', 'NEW=1', 'PATH=/bin', 'LANG=fr_FR']),
    ['PATH=/bin', 'LANG=fr_FR', 'KEEP=1', 'NEW=1'],
  );
  assert.deepEqual(mergeEnv(['A', 'B='], ['A=1=2']), ['A=1=2', 'B=']);
});

test('only variables are inherited unless more is asked for', () => {
  const base = { config: { Env: ['A=1'], Cmd: ['/base'], Labels: { base: 'yes', both: 'base' }, User: '1' } };
  assert.deepEqual(inheritConfig({ Cmd: ['a'] }, { base }), { Cmd: ['a'], Env: ['A=1'] });
  assert.deepEqual(
    inheritConfig({ Labels: { both: 'own' } }, { base, inherit: ['Labels', 'User', 'Cmd', 'Volumes'] }),
    { Labels: { base: 'yes', both: 'own' }, User: '1', Cmd: ['/base'], Env: ['A=1'] },
  );
  assert.deepEqual(inheritConfig({ Entrypoint: ['/x'] }, { base, inherit: ['Cmd'] }), {
    Entrypoint: ['/x'],
    Env: ['A=1'],
  });
});

test("what is null is as if it were not there, where nixpkgs' streamer raises an error", () => {
  for (const base of [{ config: null }, {}, { config: { Env: null } }]) {
    assert.deepEqual(inheritConfig({}, { base }), {});
    assert.deepEqual(inheritConfig({ Env: ['A=1'] }, { base }), { Env: ['A=1'] });
  }
  assert.deepEqual(inheritConfig(null, { base: { config: { Env: ['A=1'] } } }), { Env: ['A=1'] });
  assert.deepEqual(inheritConfig({ Env: null }, { base: {} }), { Env: null });
});

test('an Env that is none is an error, and says whose it is', () => {
  assert.throws(() => inheritConfig({}, { base: { config: { Env: 'A=1' } } }), { code: 'ARCHIVE_INVALID' });
  assert.throws(() => inheritConfig({ Env: [1] }, { base: {} }), { code: 'IMAGE_INVALID' });
});

test("history: the base's as it is, or an entry for each layer", () => {
  const history = [{ comment: 'a' }, { created_by: 'ENV x', empty_layer: true }, { comment: 'b' }];
  assert.deepEqual(baseHistory({ history, layers: [1, 2], names: [] }), history);
  assert.deepEqual(baseHistory({ history, layers: [1], names: ['alpine:3'] }), [
    { comment: 'layer of the base image alpine:3' },
  ]);
  assert.deepEqual(baseHistory({ history: [], layers: [1], names: [] }), [
    { comment: 'layer of the base image' },
  ]);
});
