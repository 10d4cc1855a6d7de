import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { makeTree, readTree, type Sight } from '../../src/customise/private-tree.ts';
import { runExtraCommands, runFakeRootCommands } from '../../src/customise/run-commands.ts';
import { joinContents } from '../../src/image/customisation.ts';
import type { CustomisationMember } from '../../src/layer/layer-source.ts';
import { temporaryDirectory } from '../support/temporary.ts';

const unseen: Sight = () => undefined;

function prepare(context: TestContext): {
  readonly tree: string;
  readonly work: string;
  readonly signal: undefined;
} {
  const directory = temporaryDirectory(context);
  const work = join(directory, 'work');
  mkdirSync(work);
  const tree = join(directory, 'tree');
  const entries = [
    { kind: 'directory', path: '', mode: 0o555 },
    { kind: 'directory', path: 'bin', mode: 0o555 },
    { kind: 'file', path: 'bin/x', mode: 0o555, size: 1 },
  ] as const;
  makeTree(tree, joinContents([{ storePath: '/nix/store/a', entries }]).members);
  return { tree, work, signal: undefined };
}

const summary = ({ name, mode, uid, gid, linkName }: CustomisationMember): unknown[] => [
  name,
  mode.toString(8),
  uid,
  gid,
  linkName,
];

test('extraCommands run in the joined contents, in the order of the tar, owned by root', async (context) => {
  const options = prepare(context);
  await runExtraCommands(
    `mkdir etc; printf "it's" > "etc/a b"; mkdir etc/a; : > etc/a/x; ln -s ../nowhere etc/link; chmod 4711 "etc/a b"`,
    options,
  );
  assert.deepEqual(readTree(options.tree, unseen).map(summary), [
    ['./', '755', 0, 0, ''],
    ['./bin/', '755', 0, 0, ''],
    ['./bin/x', '777', 0, 0, '/nix/store/a/bin/x'],
    ['./etc/', '755', 0, 0, ''],
    ['./etc/a/', '755', 0, 0, ''],
    ['./etc/a/x', '644', 0, 0, ''],
    ['./etc/a b', '4711', 0, 0, ''],
    ['./etc/link', '777', 0, 0, '../nowhere'],
  ]);
});

test('a failing command stops, with its status and the end of its output', async (context) => {
  const options = prepare(context);
  await assert.rejects(runExtraCommands('echo before; (exit 7); touch after', options), {
    code: 'COMMAND_FAILED',
    message: /status 7[^]*before/,
  });
  assert.ok(!existsSync(join(options.tree, 'after')));
});

test('an error in the middle of a pipe is one', async (context) => {
  await assert.rejects(runExtraCommands('false | true', prepare(context)), { code: 'COMMAND_FAILED' });
});

test('what runs on in the background is stopped', { timeout: 20_000 }, async (context) => {
  const options = prepare(context);
  await runExtraCommands('(sleep 30; touch late) & echo started', options);
  assert.deepEqual(readdirSync(options.tree), ['bin']);
});

test('a signal ends the commands and all they started', { timeout: 20_000 }, async (context) => {
  const controller = new AbortController();
  const running = runExtraCommands('sleep 30 | sleep 30', { ...prepare(context), signal: controller.signal });
  setTimeout(() => controller.abort(new Error('stopped')), 100);
  await assert.rejects(running, /stopped/);
});

test('the directory itself cannot be replaced', async (context) => {
  const options = prepare(context);
  await runExtraCommands('cd ..; rm -rf tree; ln -s /etc tree', options);
  assert.throws(() => readTree(options.tree, unseen), { code: 'COMMAND_FAILED' });
});

const hasFakeroot = (): boolean => {
  try {
    execFileSync('fakeroot', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};

test('owners and modes set under fakeroot are kept', { skip: !hasFakeroot() }, async (context) => {
  const options = prepare(context);
  const name = '$(printf "a\\nb\\351")';
  const sight = await runFakeRootCommands(
    `mkdir -m 0700 home; touch "${name}"; chown 1000:100 home "${name}"; chmod 0 "${name}"; chown -h 7 bin/x`,
    options,
  );
  assert.deepEqual(readTree(options.tree, sight).map(summary), [
    ['./', '755', 0, 0, ''],
    ['./a\nb\xe9', '0', 1000, 100, ''],
    ['./bin/', '755', 0, 0, ''],
    ['./bin/x', '777', 7, 0, '/nix/store/a/bin/x'],
    ['./home/', '700', 1000, 100, ''],
  ]);
});

test('a device is an error that names it', { skip: !hasFakeroot() }, async (context) => {
  await assert.rejects(runFakeRootCommands('mkdir dev; mknod dev/null c 1 3', prepare(context)), {
    code: 'FILE_TYPE_UNSUPPORTED',
    message: /dev\/null/,
  });
});
