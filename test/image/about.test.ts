import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseImageDescription } from '../../src/image/image-description.ts';
import { resolveSettings } from '../../src/image/image-settings.ts';

const SURROUNDINGS = { now: new Date(0), architecture: 'amd64' };
const KEY = 'org.opencontainers.image';
const about = { title: 'hello', licenses: 'MIT OR Apache-2.0' };

test('what an image is about is among its labels and its annotations, which win', () => {
  const labels = { [`${KEY}.title`]: 'own' };
  const config = { Labels: { [`${KEY}.licenses`]: 'none', more: '1' } };
  const settings = resolveSettings({ about, labels, config }, SURROUNDINGS);
  assert.deepEqual(settings.config['Labels'], {
    [`${KEY}.title`]: 'own',
    [`${KEY}.licenses`]: 'none',
    more: '1',
  });
  assert.deepEqual(settings.annotations, {
    [`${KEY}.title`]: 'hello',
    [`${KEY}.licenses`]: 'MIT OR Apache-2.0',
  });
  const annotations = { [`${KEY}.title`]: 'own' };
  assert.equal(resolveSettings({ about, annotations }, SURROUNDINGS).annotations[`${KEY}.title`], 'own');
});

test('without it nothing is added', () => {
  const settings = resolveSettings({ config: { Cmd: ['x'] } }, SURROUNDINGS);
  assert.deepEqual([settings.config, settings.annotations], [{ Cmd: ['x'] }, {}]);
});

test('a field that is none of the specification is refused', () => {
  const parse = (): unknown =>
    parseImageDescription({ about: { licence: 'MIT' } }, { origin: 'test', nameOf: () => 'about' });
  assert.throws(parse, { code: 'IMAGE_INVALID' });
});
