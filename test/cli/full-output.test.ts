/** A standard output that takes nothing more: an error like others, said once. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const PROGRAM = join(import.meta.dirname, '../../bin/phyllo.cjs');
const FULL = '/dev/full';
const IMAGE = ['--name', 'x', '--graph', join(import.meta.dirname, '../fixtures/no-store-paths.json')];

for (const args of [
  ['build', ...IMAGE, '--to', '-'],
  ['build', ...IMAGE, '--compressor', 'gz', '--to', '-'],
  ['build', ...IMAGE, '--compressor', 'zstd', '--to', `docker-archive:${FULL}`],
  ['plan', ...IMAGE],
]) {
  test(`phyllo ${args[0]} … ${args.slice(4).join(' ')}`, { skip: !existsSync(FULL) }, () => {
    const fd = openSync(FULL, 'w');
    try {
      const { status, stderr } = spawnSync(process.execPath, [PROGRAM, ...args], {
        stdio: ['ignore', fd, 'pipe'],
        encoding: 'utf8',
      });
      assert.equal(status, 1, stderr);
      assert.deepEqual(stderr.match(/\[\w+\]/g), ['[DISK_FULL]'], stderr);
      assert.doesNotMatch(stderr, /^ +at /m);
    } finally {
      closeSync(fd);
    }
  });
}
