/** The manual's pages are clean, complete and the same from build to build. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ENVIRONMENT } from '../../src/cli/environment.ts';
import { manualPages } from '../../src/cli/manual.ts';
import { createProgram, withSubcommands } from '../../src/cli/program.ts';
import { describeWith } from '../integration/support/requirements.ts';

const PROGRAM = createProgram(new AbortController().signal);
const PAGES = manualPages(PROGRAM);
const SOURCE = join(import.meta.dirname, '../../src');

test('there is a page for the program and for each command', () => {
  const names = ['phyllo', ...PROGRAM.commands.map((command) => `phyllo-${command.name()}`)];
  assert.deepEqual(
    PAGES.map(({ file }) => file),
    names.map((name) => `${name}.1`),
  );
});

test('every option of a command is on a page', () => {
  const text = PAGES.map((page) => page.text)
    .join('')
    .replaceAll('\\-', '-');
  for (const { long } of withSubcommands(PROGRAM).flatMap(({ options }) => options))
    assert.ok(text.includes(`${long}\\fR`), `${long}`);
});

test('every variable of the environment that the command reads is in the manual', () => {
  const sources = globSync('cli/*.ts', { cwd: SOURCE }).map((path) =>
    readFileSync(join(SOURCE, path), 'utf8'),
  );
  const read = sources.flatMap((text) => [...text.matchAll(/(?:process\.env\[|\bvariable\()'(\w+)'/g)]);
  const unknown = read.map(([, name]) => name as string).filter((name) => ENVIRONMENT[name] === undefined);
  assert.deepEqual(unknown, [], 'add them to src/cli/environment.ts');
});

describeWith(['mandoc'], 'the manual as mandoc reads it', () => {
  test('no page has a mistake', () => {
    for (const { text } of PAGES) {
      // The pages have no date: they would differ from build to build.
      const args = ['-T', 'lint', '-W', 'warning'];
      const found = lint(args, text).filter((line) => !line.includes('missing date'));
      assert.deepEqual(found, []);
    }
  });

  test('what looks like a request or an escape is shown as it is', () => {
    const page = PAGES.find(({ file }) => file === 'phyllo-build.1');
    const shown = execFileSync('mandoc', ['-T', 'ascii'], { input: page?.text, encoding: 'utf8' });
    assert.match(shown.replaceAll(/.\x08/g, ''), /--compress how/);
  });
});

function lint(args: readonly string[], input: string): string[] {
  try {
    return execFileSync('mandoc', args, { input, encoding: 'utf8' }).split('\n').filter(Boolean);
  } catch (error) {
    return (error as { readonly stdout: string }).stdout.split('\n').filter(Boolean);
  }
}
