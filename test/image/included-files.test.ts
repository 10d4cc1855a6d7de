import assert from 'node:assert/strict';
import { test } from 'node:test';
import { includedFiles } from '../../src/image/included-files.ts';
import { fieldInFile, parseImageDescription } from '../../src/image/image-description.ts';
import { resolveSettings } from '../../src/image/image-settings.ts';

const BASH = `/nix/store/${'0'.repeat(32)}-bash-5.2`;

test('helpers link to a store path, or to a file in it', () => {
  const links = (text: string) =>
    includedFiles([text]).map((file) => (file.kind === 'symlink' ? [file.path, file.target] : []));
  assert.deepEqual(links(`bin-sh=${BASH}`), [['bin/sh', `${BASH}/bin/sh`]]);
  assert.deepEqual(links(`bin-sh=${BASH}/bin/bash`), [['bin/sh', `${BASH}/bin/bash`]]);
  assert.deepEqual(links(`usr-bin-env=${BASH}`), [['usr/bin/env', `${BASH}/bin/env`]]);
  assert.equal(links(`ca-certificates=${BASH}`).length, 3);
});

test('what is no helper is an error that lists all of them', () => {
  const wrong = ['tmp=/x', 'bin-sh', 'bin-sh=relative', 'unknown', 'constructor', ''];
  assert.throws(
    () => includedFiles(['tmp', ...wrong]),
    (error: Error & { code?: string }) =>
      error.code === 'IMAGE_INVALID' && wrong.every((text) => error.message.includes(JSON.stringify(text))),
  );
});

test('labels win over those of config, whose other fields stay', () => {
  const of = (value: object) =>
    resolveSettings(parseImageDescription(value, { origin: 'image.json', nameOf: fieldInFile }), {
      now: new Date(0),
      architecture: 'amd64',
    }).config;
  const config = { Cmd: ['x'], Labels: { a: '1', b: '2' } };
  assert.deepEqual(of({ config, labels: { b: '3' } }), { Cmd: ['x'], Labels: { a: '1', b: '3' } });
  assert.deepEqual(of({ labels: { b: '3' } }), { Labels: { b: '3' } });
  assert.deepEqual(of({ config }), config);
  assert.throws(() => of({ config: { Labels: [] }, labels: { a: '' } }), { code: 'IMAGE_INVALID' });
});
