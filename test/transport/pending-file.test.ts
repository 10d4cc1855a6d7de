import assert from 'node:assert/strict';
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { PendingFile } from '../../src/transport/pending-file.ts';
import { temporaryDirectory } from '../support/temporary.ts';

test('a file appears whole, or not at all', async (context) => {
  const directory = temporaryDirectory(context);
  const file = join(directory, 'out');
  writeFileSync(file, 'before');

  const discarded = await PendingFile.create(file);
  writeSync(discarded.fd, 'half');
  await discarded.discard();
  await discarded.discard();
  assert.equal(readFileSync(file, 'utf8'), 'before');

  const committed = await PendingFile.create(file);
  writeSync(committed.fd, 'after');
  assert.equal(readFileSync(file, 'utf8'), 'before');
  await committed.commit();
  await committed.discard();
  assert.equal(readFileSync(file, 'utf8'), 'after');
  assert.deepEqual(readdirSync(directory), ['out']);
});

test('a symlink stays one', async (context) => {
  const directory = temporaryDirectory(context);
  writeFileSync(join(directory, 'target'), '');
  symlinkSync('target', join(directory, 'link'));
  const pending = await PendingFile.create(join(directory, 'link'));
  writeSync(pending.fd, 'new');
  await pending.commit();
  assert.ok(lstatSync(join(directory, 'link')).isSymbolicLink());
  assert.equal(readFileSync(join(directory, 'target'), 'utf8'), 'new');
});

test('a file that cannot be is refused before any work', async (context) => {
  const directory = temporaryDirectory(context);
  mkdirSync(join(directory, 'folder'));
  for (const file of [join(directory, 'folder'), join(directory, 'missing', 'out')]) {
    await assert.rejects(PendingFile.create(file), { code: 'DESTINATION_UNWRITABLE' });
  }
  assert.deepEqual(readdirSync(directory), ['folder']);
});

test('a long name leaves room for the temporary one', async (context) => {
  const file = join(temporaryDirectory(context), 'n'.repeat(255));
  await (await PendingFile.create(file)).commit();
  assert.equal(readFileSync(file, 'utf8'), '');
});
