/** Help that helps: examples that work, and what is nearest to a slip of the fingers. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { EXAMPLES } from '../../src/cli/examples.ts';
import { PhylloError } from '../../src/errors.ts';
import { createProgram, examplesOf, fullName, withSubcommands } from '../../src/cli/program.ts';
import { problemOf } from '../support/documented-commands.ts';

const PROGRAM = join(import.meta.dirname, '../../bin/phyllo.cjs');
const COMMANDS = withSubcommands(createProgram(new AbortController().signal)).slice(1);

test('no example is for a command that is not there', () => {
  const names = COMMANDS.map((command) => fullName(command).replace('phyllo ', ''));
  assert.deepEqual(
    Object.keys(EXAMPLES).filter((name) => !names.includes(name)),
    [],
  );
});

test('help groups many options under headings', () => {
  const help = COMMANDS.find((command) => command.name() === 'build')?.helpInformation() ?? '';
  for (const heading of ['The image:', "The image's files:", "The image's layers:", 'Registries:'])
    assert.ok(help.includes(`\n${heading}\n`), heading);
});

test('help of a command shows its examples, in both forms', () => {
  for (const args of [
    ['help', 'diff'],
    ['diff', '--help'],
  ]) {
    const { status, stdout, stderr } = phyllo(args);
    assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
    for (const { line } of EXAMPLES['diff'] ?? []) assert.ok(stdout.includes(line), line);
  }
});

const SLIPS: readonly (readonly [string, string])[] = [
  ['biuld image.json', 'build'],
  ['build --laering steady --to -', '--layering'],
  ['cache prune --dayz 3', '--days'],
  ['inspect image.tar --path', '--paths'],
];

for (const [line, meant] of SLIPS) {
  test(`phyllo ${line}: did you mean ${meant}?`, async () => {
    const error = await wrongUsage(line);
    assert.equal(error.code, 'USAGE_INVALID');
    assert.equal(error.hint, `did you mean ${meant}?`);
  });
}

test('wrong usage names the help of its own command', async () => {
  assert.match((await wrongUsage('plan --to x')).hint ?? '', /`phyllo plan --help`/);
});

test('hints are said, and the status is that of wrong usage', () => {
  const { status, stderr } = phyllo(['biuld']);
  assert.equal(status, 2);
  assert.match(stderr, /\[USAGE_INVALID\]\nhint: did you mean build\?\n$/);
});

test('every example is a command line that the command takes', () => {
  for (const { line } of COMMANDS.flatMap(examplesOf)) {
    const own = /phyllo (.*?)( [|>] .*)?$/.exec(line)?.[1] as string;
    assert.equal(problemOf(own), undefined, line);
  }
});

async function wrongUsage(line: string): Promise<PhylloError> {
  const program = createProgram(new AbortController().signal);
  try {
    await program.parseAsync(line.split(' '), { from: 'user' });
  } catch (error) {
    assert.ok(error instanceof PhylloError);
    return error;
  }
  return assert.fail(`${line} is no wrong usage`);
}

function phyllo(args: readonly string[]): ReturnType<typeof spawnSync> & { stdout: string; stderr: string } {
  return spawnSync(process.execPath, [PROGRAM, ...args], { encoding: 'utf8' });
}
