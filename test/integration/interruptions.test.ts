/** Builds that are stopped, or meet a disk, a pipe or a file that lets them down: nothing half-written stays behind. */
import assert from 'node:assert/strict';
import { appendFileSync, chmodSync, mkdirSync, readdirSync } from 'node:fs';
import { once as onceEvent } from 'node:events';
import { join } from 'node:path';
import { before, it } from 'node:test';
import { buildAttributes, buildTestClosure, describeTestImage } from './support/closure.ts';
import type { TestClosure } from './support/closure.ts';
import { realPath } from './support/nix.ts';
import { phylloCommand, startPhyllo } from './support/phyllo.ts';
import { outcomeOf, run, runChecked, waitUntil } from './support/process.ts';
import type { Outcome } from './support/process.ts';
import { describeWith } from './support/requirements.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';

const directory = temporaryDirectory();

function newDirectory(name: string): string {
  const path = join(directory, name);
  mkdirSync(path);
  return path;
}

describeWith(['nix', 'mounts'], 'a build that', () => {
  let closure: TestClosure;
  let description: string;
  let hugeDescription: string;

  before(async () => {
    closure = await buildTestClosure(directory);
    description = describeTestImage(directory, closure.top);
    const [huge = ''] = await buildAttributes(closure.store, ['huge']);
    const hugeDirectory = newDirectory('huge');
    hugeDescription = describeTestImage(hugeDirectory, huge);
  });

  /** Sends the signal as soon as something of the archive is in `output`. */
  async function interrupt(
    output: string,
    signal: NodeJS.Signals,
    flags: readonly string[] = [],
  ): Promise<Outcome> {
    const to = ['--to', `docker-archive:${join(output, 'image.tar')}`, ...flags];
    const child = startPhyllo(['build', hugeDescription, '--store', closure.store.root, ...to]);
    const outcome = outcomeOf(child);
    await waitUntil(() => readdirSync(output).length > 0, { what: 'the archive is begun', child, pollMs: 1 });
    child.kill(signal);
    return outcome;
  }

  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    it(`is stopped by ${signal} leaves nothing and ends by the signal`, async () => {
      const output = newDirectory(signal);
      const outcome = await interrupt(output, signal);
      assert.equal(outcome.signal, signal, outcome.stderr);
      assert.deepEqual(readdirSync(output), []);
    });

  it('is stopped while it compresses the archive leaves nothing', async () => {
    const output = newDirectory('compressed');
    const { signal, stderr } = await interrupt(output, 'SIGTERM', ['--compressor', 'gz']);
    assert.equal(signal, 'SIGTERM', stderr);
    assert.deepEqual(readdirSync(output), []);
  });

  it('is killed leaves no archive under its name', async () => {
    const output = newDirectory('SIGKILL');
    assert.equal((await interrupt(output, 'SIGKILL')).signal, 'SIGKILL');
    assert.ok(!readdirSync(output).includes('image.tar'));
  });

  for (const compressor of ['none', 'gz'])
    it(`is stopped while nobody reads its standard output ends by the signal: compressor ${compressor}`, async () => {
      const to = ['--compressor', compressor, '--to', '-'];
      const child = startPhyllo(['build', description, '--store', closure.store.root, ...to]);
      child.stdout?.pause();
      const ended = onceEvent(child, 'exit');
      await onceEvent(child.stdout as NodeJS.ReadableStream, 'readable');
      child.kill('SIGTERM');
      assert.deepEqual(await ended, [null, 'SIGTERM']);
    });

  for (const [compressor, size] of [
    ['none', '8m'],
    ['gz', '100k'],
  ] as const)
    it(`fills the disk says so and leaves nothing: compressor ${compressor}`, async () => {
      const output = newDirectory(`full-${compressor}`);
      const to = ['--compressor', compressor, '--to', `docker-archive:${join(output, 'image.tar')}`];
      const build = phylloCommand(['build', description, '--store', closure.store.root, ...to]);
      const script =
        'mount -t tmpfs -o size=$2 none "$1"; output=$1; shift 2; code=0; "$@" || code=$?; ls -A "$output"; exit $code';
      const outcome = await run('unshare', ['--mount', 'sh', '-euc', script, 'sh', output, size, ...build]);
      assert.equal(outcome.exitCode, 1, outcome.stderr);
      assert.match(outcome.stderr, /^error: .*\[DISK_FULL\]$/m);
      assert.equal(outcome.stdout, '');
    });

  for (const compressor of ['none', 'gz'])
    it(`loses the reader of its standard output says so: compressor ${compressor}`, async () => {
      const to = ['--compressor', compressor, '--to', '-'];
      const child = startPhyllo(['build', description, '--store', closure.store.root, ...to]);
      const outcome = outcomeOf(child);
      await onceEvent(child.stdout as NodeJS.ReadableStream, 'data');
      child.stdout?.destroy();
      const { exitCode, stderr } = await outcome;
      assert.equal(exitCode, 1, stderr);
      assert.match(stderr, /^error: .*\[PIPE_CLOSED\]$/m);
    });

  it('meets a file that grew after it was looked at names the file', async () => {
    const copy = join(directory, 'changing');
    await runChecked('cp', ['--archive', closure.store.root, copy]);
    const file = realPath({ ...closure.store, root: copy }, `${closure.top}/share/references`);
    const child = startPhyllo([
      'build',
      description,
      '--store',
      copy,
      '--jobs',
      '1',
      '--no-cache',
      '--to',
      '-',
    ]);
    child.stdout?.pause();
    await onceEvent(child.stdout as NodeJS.ReadableStream, 'readable');
    chmodSync(file, 0o644);
    appendFileSync(file, 'one more line\n');
    const { exitCode, stderr } = await outcomeOf(child);
    assert.equal(exitCode, 1, stderr);
    assert.match(stderr, /^error: .*\/share\/references.*\[FILE_CHANGED\]$/m);
  });
});
