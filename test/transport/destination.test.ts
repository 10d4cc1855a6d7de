import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type ArchiveDestination,
  type DaemonDestination,
  parseDestination,
} from '../../src/transport/destination.ts';

const OWN = { name: 'own', tag: '1' };

const ARCHIVES: readonly [text: string, file: string, reference: object | undefined][] = [
  ['docker-archive:a.tar', 'a.tar', undefined],
  ['docker-archive:/x/a b.tar:hello', '/x/a b.tar', { name: 'hello', tag: '1' }],
  ['docker-archive:a.tar:hello:2', 'a.tar', { name: 'hello', tag: '2' }],
  ['docker-archive:a.tar:localhost:5000/hello:2', 'a.tar', { name: 'localhost:5000/hello', tag: '2' }],
  ['oci-archive:a.tar', 'a.tar', undefined],
  ['oci-archive:a.tar:2', 'a.tar', { name: 'own', tag: '2' }],
  ['oci-archive:a.tar:hello:2', 'a.tar', { name: 'hello', tag: '2' }],
];

for (const [text, file, reference] of ARCHIVES) {
  test(`destination ${text}`, () => {
    const destination = parseDestination(text) as ArchiveDestination;
    assert.equal(destination.file, file);
    assert.deepEqual(destination.reference?.(OWN), reference);
  });
}

test('a name in the destination suffices', () => {
  const { reference } = parseDestination('docker-archive:a.tar:hello') as ArchiveDestination;
  assert.deepEqual(reference?.(undefined), { name: 'hello', tag: 'latest' });
});

test('an image in an engine has a name there', () => {
  const named = (text: string): object => (parseDestination(text) as DaemonDestination).reference(OWN);
  assert.deepEqual(named('docker-daemon:hello'), { name: 'hello', tag: '1' });
  assert.deepEqual(named('docker-daemon:a.example:5000/hello:2'), { name: 'a.example:5000/hello', tag: '2' });
  assert.throws(() => parseDestination('docker-daemon:'), { code: 'IMAGE_REFERENCE_INVALID' });
});

test('- is the standard output', () => {
  assert.deepEqual(parseDestination('-'), { kind: 'stdout' });
});

for (const text of ['', 'a.tar', 'docker-archive:', 'docker-archive', 'nowhere:x', 'docker-archive::hello']) {
  test(`not a destination: ${JSON.stringify(text)}`, () => {
    assert.throws(() => parseDestination(text), { code: 'DESTINATION_INVALID' });
  });
}

test('a name that is none is noticed before anything is built', () => {
  assert.throws(() => parseDestination('docker-archive:a.tar:a b'), { code: 'IMAGE_REFERENCE_INVALID' });
  assert.throws(() => parseDestination('oci-archive:a.tar:-'), { code: 'IMAGE_REFERENCE_INVALID' });
});
