/** The machine's own Node.js, where it is too old, gets a sentence instead of a syntax error. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { delimiter, join } from 'node:path';
import { it } from 'node:test';
import { REPOSITORY } from './support/phyllo.ts';
import { run } from './support/process.ts';

const OLDEST = 24;

/** Programs called node on the PATH and where distributions have them. npm puts node_modules/.bin in front, which is not old. */
function oldNode(): string | undefined {
  const directories = new Set([
    ...(process.env['PATH'] ?? '').split(delimiter),
    '/usr/local/bin',
    '/usr/bin',
  ]);
  return [...directories]
    .map((directory) => join(directory, 'node'))
    .find((program) => majorVersion(program) < OLDEST);
}

function majorVersion(program: string): number {
  try {
    const version = execFileSync(program, ['--version'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return Number(/^v(\d+)/.exec(version)?.[1] ?? Number.NaN);
  } catch {
    return Number.NaN;
  }
}

const program = oldNode();
const skip =
  program === undefined ? `no Node.js older than ${OLDEST} on this machine: apt-get install nodejs` : false;

it('a Node.js that is too old gets a clear error', { skip }, async () => {
  const outcome = await run(program ?? '', [join(REPOSITORY, 'bin/phyllo.cjs'), 'build']);
  assert.equal(outcome.exitCode, 1);
  assert.equal(outcome.stdout, '');
  assert.match(outcome.stderr, new RegExp(`^error: .*${OLDEST}.*\\[NODE_TOO_OLD\\]\\nhint: .*\\n$`));
});
