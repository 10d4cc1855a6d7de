import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  describeRegistryReference,
  parseRegistryReference,
  registryHost,
} from '../../../src/transport/registry/registry-reference.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;

for (const [text, host, repository, tag, digest] of [
  ['debian', 'docker.io', 'library/debian', undefined, undefined],
  ['debian:12-slim', 'docker.io', 'library/debian', '12-slim', undefined],
  ['me/hello:1', 'docker.io', 'me/hello', '1', undefined],
  ['docker.io/debian', 'docker.io', 'library/debian', undefined, undefined],
  ['index.docker.io/me/hello', 'docker.io', 'me/hello', undefined, undefined],
  ['ghcr.io/me/hello:1', 'ghcr.io', 'me/hello', '1', undefined],
  ['localhost/hello', 'localhost', 'hello', undefined, undefined],
  ['localhost:5000/x', 'localhost:5000', 'x', undefined, undefined],
  ['host:5000/x:2', 'host:5000', 'x', '2', undefined],
  ['[::1]:5000/a/b', '[::1]:5000', 'a/b', undefined, undefined],
  [`ghcr.io/me/hello@${DIGEST}`, 'ghcr.io', 'me/hello', undefined, DIGEST],
  [`ghcr.io/me/hello:1@${DIGEST}`, 'ghcr.io', 'me/hello', '1', DIGEST],
] as const) {
  test(`${text} is in ${host}`, () => {
    assert.deepEqual(parseRegistryReference(text), { host, repository, tag, digest });
  });
}

for (const text of ['', ':1', 'a//b', '/a', 'a:b:c', 'a b', `a@${DIGEST}@${DIGEST}`, 'ghcr.io/']) {
  test(`${JSON.stringify(text)} is none`, () => {
    assert.throws(() => parseRegistryReference(text), { code: 'IMAGE_REFERENCE_INVALID' });
  });
}

test('a damaged digest is one', () => {
  assert.throws(() => parseRegistryReference('a@sha256:12'), { code: 'DIGEST_INVALID' });
});

test('a name says where it is in full', () => {
  const text = `docker.io/library/debian:12@${DIGEST}`;
  assert.equal(describeRegistryReference(parseRegistryReference(`debian:12@${DIGEST}`)), text);
  assert.equal(registryHost('docker.io'), 'registry-1.docker.io');
  assert.equal(registryHost('ghcr.io'), 'ghcr.io');
});
