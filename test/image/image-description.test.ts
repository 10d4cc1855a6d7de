import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { PhylloError } from '../../src/errors.ts';
import { fieldInFile, imageSchema, parseImageDescription } from '../../src/image/image-description.ts';
import { resolveSettings } from '../../src/image/image-settings.ts';

const parse = (value: unknown) => parseImageDescription(value, { origin: 'image.json', nameOf: fieldInFile });
const surroundings = { now: new Date('2026-01-02T03:04:05.678Z'), architecture: 'arm64' };

function problemsOf(value: unknown): string {
  try {
    parse(value);
  } catch (error) {
    assert.ok(error instanceof PhylloError);
    assert.equal(error.code, 'IMAGE_INVALID');
    return error.message;
  }
  throw new Error('it was accepted');
}

test('every problem is reported at once, with its place', () => {
  const message = problemsOf({
    name: 1,
    contents: ['/nix/store/x', 2],
    maxLayers: 1,
    uid: -1,
    created: 'yesterday',
    config: [],
  });
  for (const place of ['name', 'contents', 'maxLayers', 'uid', 'created', 'config'])
    assert.match(message, new RegExp(`\\b${place}\\b`));
});

test('an unknown field is named with the nearest known one', () => {
  assert.match(problemsOf({ maxLayer: 3 }), /"maxLayer".*"maxLayers"/);
  assert.match(problemsOf({ Contents: [] }), /"contents"/);
  assert.doesNotMatch(problemsOf({ somethingElse: 3 }), /did you mean/);
});

test('a description that is not an object is refused', () => {
  for (const value of [null, [], 'x', 3]) assert.ok(problemsOf(value).length > 0);
});

test('config keeps keys that are traps for a program', () => {
  const config = JSON.parse('{"Labels": {"__proto__": "a", "constructor": "b"}}') as object;
  assert.equal(JSON.stringify(parse({ config }).config), JSON.stringify(config));
});

test('defaults are those of dockerTools', () => {
  const settings = resolveSettings(parse({ name: 'Registry.example/Team/Hello' }), surroundings);
  assert.equal(settings.name, 'registry.example/team/hello');
  assert.equal(settings.created, '1970-01-01T00:00:01Z');
  assert.deepEqual(settings.ownership, { mtimeSeconds: 1, uid: 0, gid: 0, uname: 'root', gname: 'root' });
  assert.deepEqual(settings.platform, { architecture: 'arm64', variant: undefined, os: 'linux' });
  assert.equal(settings.maxLayers, 100);
});

test('dates are the same moment in UTC, and "now" is pointed out', () => {
  const of = (created: string) => resolveSettings(parse({ created }), surroundings);
  assert.equal(of('2020-01-01T00:00:00.123456+02:00').created, '2019-12-31T22:00:00.123456Z');
  assert.equal(of('2020-01-01T00:00:00Z').created, '2020-01-01T00:00:00Z');
  assert.equal(of('now').created, '2026-01-02T03:04:05Z');
  assert.equal(of('now').warnings.length, 1);
  assert.equal(
    resolveSettings(parse({ mtime: '1969-12-31T23:59:58Z' }), surroundings).ownership.mtimeSeconds,
    -2,
  );
});

test('the published schema is the one that is checked (npm run schema)', () => {
  const published: unknown = JSON.parse(
    readFileSync(new URL('../../schema/image.schema.json', import.meta.url), 'utf8'),
  );
  assert.deepEqual(published, JSON.parse(JSON.stringify(imageSchema())));
});
