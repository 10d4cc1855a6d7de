/** `phyllo init`: what it guesses of a store path, and that the result builds. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createProgram } from '../../src/cli/program.ts';
import { PhylloError } from '../../src/errors.ts';
import { describeInitially } from '../../src/initial-description.ts';
import type { Store } from '../../src/store/store.ts';
import { parseStorePath } from '../../src/store/store-path.ts';
import { temporaryDirectory } from '../support/temporary.ts';

const CACHE = `file://${join(import.meta.dirname, '../../examples/hello/cache')}`;
const HELLO = '/nix/store/mnbabx82imqcc4k2vp6p96rbpddzbzwp-hello-1.0';
const HASH = '1m1bzmzi2pr6xbnqb2lzmaw4gyhxq0a9';

test("the example's store path becomes a description that builds at once", async (context) => {
  const directory = temporaryDirectory(context);
  const [image, archive] = [join(directory, 'image.json'), join(directory, 'image.tar')];
  await phyllo(['init', HELLO, '--store', CACHE, '--output', image, '--quiet']);
  const text = readFileSync(image, 'utf8');
  for (const line of ['"name": "hello"', '"tag": "1.0"', `"contents": ["${HELLO}"]`, '"Cmd": ["/bin/hello"]'])
    assert.ok(text.includes(`  ${line},`), line);
  await phyllo(['build', image, '--to', `docker-archive:${archive}`, '--no-cache', '--quiet']);
  assert.ok(readFileSync(archive).includes('"Cmd":["/bin/hello"]'));
});

test('nothing is overwritten', async (context) => {
  const image = join(temporaryDirectory(context), 'image.json');
  writeFileSync(image, 'mine');
  await assert.rejects(
    phyllo(['init', HELLO, '--store', CACHE, '--output', image]),
    (error) => error instanceof PhylloError && error.code === 'DESTINATION_UNWRITABLE',
  );
  assert.equal(readFileSync(image, 'utf8'), 'mine');
});

test('of several programs the one that is called as the package starts', async (context) => {
  const { command } = await initial(context, { name: 'git-2.44', programs: ['git', 'git-shell'] });
  assert.equal(command, '/bin/git');
});

test('the only program starts, whatever its name; files that cannot be executed and hidden ones do not count', async (context) => {
  const files = { programs: ['rg', '.rg-wrapped'], others: ['README'] };
  const { command } = await initial(context, { name: 'ripgrep-14.1', ...files });
  assert.equal(command, '/bin/rg');
});

test('where several programs might start, the description names them', async (context) => {
  const { command, text } = await initial(context, { name: 'coreutils-9.5', programs: ['cat', 'ls'] });
  assert.equal(command, undefined);
  assert.match(text, /There are cat, ls\./);
  assert.match(text, /\/\/ "Cmd": /);
});

test('a name without a version, and one that no image may have', async (context) => {
  const { name, text } = await initial(context, { name: 'My_+App', programs: [] });
  assert.equal(name, 'my-app');
  assert.match(text, /\/\/ "tag": "1\.0"/);
});

test('a store path that is a program is started where it is', async (context) => {
  const location = join(temporaryDirectory(context), 'run.sh');
  writeFileSync(location, '#!/bin/sh\n', { mode: 0o755 });
  const { command, text } = await describeAt(location, 'run.sh');
  assert.equal(command, `/nix/store/${HASH}-run.sh`);
  assert.match(text, /"contents": \[\],/);
});

interface Made {
  readonly name: string;
  readonly programs: readonly string[];
  readonly others?: readonly string[];
}

async function initial(
  context: Parameters<typeof temporaryDirectory>[0],
  { name, programs, others = [] }: Made,
): ReturnType<typeof describeInitially> {
  const location = temporaryDirectory(context);
  mkdirSync(join(location, 'bin'));
  for (const program of programs) writeFileSync(join(location, 'bin', program), '', { mode: 0o755 });
  for (const other of others) writeFileSync(join(location, 'bin', other), '', { mode: 0o644 });
  return await describeAt(location, name);
}

async function describeAt(location: string, name: string): ReturnType<typeof describeInitially> {
  const store: Store = {
    storeDir: '/nix/store',
    closure: async () => ({ storeDir: '/nix/store', roots: [], paths: [] }),
    findByHashPart: async () => undefined,
    treeSource: () => ({ kind: 'directory', location }),
    close: () => undefined,
  };
  const path = parseStorePath(`/nix/store/${HASH}-${name}`, '/nix/store');
  return await describeInitially([path], { store, place: undefined, schema: undefined });
}

async function phyllo(args: readonly string[]): Promise<void> {
  await createProgram(new AbortController().signal).parseAsync([...args], { from: 'user' });
}
