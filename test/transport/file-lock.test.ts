import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { withLock } from '../../src/transport/file-lock.ts';
import { temporaryDirectory } from '../support/temporary.ts';

const MODULE = new URL('../../src/transport/file-lock.ts', import.meta.url).href;
const HOLDER = `
  const { withLock } = await import(process.argv[1]);
  await withLock(process.argv[2], async () => {
    console.log('held');
    await new Promise((resolve) => setTimeout(resolve, 60_000));
  });
`;

test('one at a time, and every one gets it', async (context) => {
  const file = join(temporaryDirectory(context), 'lock');
  let inside = 0;
  const work = async (): Promise<number> =>
    withLock(file, async () => {
      inside += 1;
      assert.equal(inside, 1);
      await new Promise((resolve) => setTimeout(resolve, 5));
      inside -= 1;
      return 7;
    });
  assert.deepEqual(await Promise.all([work(), work(), work()]), [7, 7, 7]);
});

test('a lock is free after a failure', async (context) => {
  const file = join(temporaryDirectory(context), 'lock');
  await assert.rejects(
    withLock(file, () => Promise.reject(new Error('mine'))),
    { message: 'mine' },
  );
  assert.equal(await withLock(file, () => Promise.resolve(1)), 1);
});

test('a lock whose holder is killed is free', async (context) => {
  const file = join(temporaryDirectory(context), 'lock');
  const holder = spawn(process.execPath, ['--input-type=module', '-e', HOLDER, MODULE, file]);
  await once(holder.stdout, 'data');
  let killed = false;
  const waiting = withLock(file, () => Promise.resolve(killed));
  await new Promise((resolve) => setTimeout(resolve, 100));
  killed = true;
  holder.kill('SIGKILL');
  assert.equal(await waiting, true);
});

test('a lock that cannot be made is an expected failure', async (context) => {
  const directory = temporaryDirectory(context);
  mkdirSync(join(directory, 'lock'));
  for (const file of [join(directory, 'lock'), join(directory, 'missing', 'lock')])
    await assert.rejects(
      withLock(file, () => Promise.resolve()),
      { code: 'DESTINATION_UNWRITABLE' },
    );
});
