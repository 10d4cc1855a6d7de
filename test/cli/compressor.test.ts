/** Archives that are compressed as a whole, and the plan of what is built. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { temporaryDirectory } from '../support/temporary.ts';

const PROGRAM = join(import.meta.dirname, '../../bin/phyllo.cjs');
const NO_STORE_PATHS = join(import.meta.dirname, '../fixtures/no-store-paths.json');

const DECOMPRESS = { gz: gunzipSync, zstd: zstdDecompressSync } as const;

for (const [compressor, decompress] of Object.entries(DECOMPRESS))
  for (const format of ['phyllo', 'dockertools'])
    test(`${compressor} of an archive in the format ${format}: from a flag, from IMAGE.json, as a stream`, (context) => {
      const directory = temporaryDirectory(context);
      const archive = (name: string): string => join(directory, name);
      const [image, compressed] = [archive('image.json'), archive('compressed.json')];
      writeFileSync(image, '{ "name": "x" }');
      writeFileSync(compressed, JSON.stringify({ name: 'x', compressor }));
      const build = (...args: readonly string[]): Ran =>
        phyllo(['build', ...args, '--graph', NO_STORE_PATHS, '--format', format]);
      build(image, '--to', `docker-archive:${archive('plain.tar')}`);
      build(image, '--compressor', compressor, '--to', `docker-archive:${archive('flag.tar')}`);
      build(compressed, '--to', `docker-archive:${archive('file.tar')}`);
      const bytes = readFileSync(archive('flag.tar'));
      assert.deepEqual(decompress(bytes), readFileSync(archive('plain.tar')));
      assert.deepEqual(readFileSync(archive('file.tar')), bytes);
      assert.deepEqual(build(compressed, '--to', '-').stdout, bytes);
      assert.deepEqual(
        build(compressed, '--compressor', 'none', '--to', '-').stdout,
        readFileSync(archive('plain.tar')),
      );
    });

test('with debug a build shows the plan, and the image is the same', (context) => {
  const image = join(temporaryDirectory(context), 'image.json');
  writeFileSync(image, '{ "name": "x", "debug": true }');
  const to = ['--graph', NO_STORE_PATHS, '--to', '-'];
  const [plain, flag, file] = [
    phyllo(['build', '--name', 'x', ...to]),
    phyllo(['build', '--name', 'x', '--debug', ...to]),
    phyllo(['build', image, ...to]),
  ];
  for (const { stdout, stderr } of [flag, file]) {
    assert.match(stderr.toString(), /SIZE +SHARE +PATHS +WHY/);
    assert.deepEqual(stdout, plain.stdout);
  }
  assert.doesNotMatch(plain.stderr.toString(), /SHARE/);
  assert.equal(phyllo(['build', image, '--quiet', ...to]).stderr.toString(), '');
});

interface Ran {
  readonly stdout: Buffer;
  readonly stderr: Buffer;
}

/** Runs it to its end, which must be a good one. */
function phyllo(args: readonly string[]): Ran {
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, ...args]);
  assert.equal(status, 0, stderr.toString());
  return { stdout, stderr };
}
