/** The flags of IMAGE.json's fields. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createProgram } from '../../src/cli/program.ts';
import { imageSchema } from '../../src/index.ts';
import { temporaryDirectory } from '../support/temporary.ts';

const MAIN = join(import.meta.dirname, '../../src/cli/main.ts');
const NO_STORE_PATHS = join(import.meta.dirname, '../fixtures/no-store-paths.json');

test('every field of IMAGE.json has a flag, whose value is taken for it', () => {
  const { properties } = imageSchema() as { readonly properties: Readonly<Record<string, unknown>> };
  const fields = Object.keys(properties).filter((field) => field !== '$schema');
  for (const name of ['build', 'plan', 'customise']) {
    const command = createProgram(new AbortController().signal).commands.find((one) => one.name() === name);
    const taken = command?.options.map((option) => option.attributeName()) ?? [];
    assert.deepEqual(
      fields.filter((field) => !taken.includes(field)),
      [],
      name,
    );
  }
});

test('a pipeline is JSON or a file', (context) => {
  const directory = temporaryDirectory(context);
  const file = join(directory, 'pipeline.json');
  const pipeline = JSON.stringify([['no_such_operation']]);
  writeFileSync(file, pipeline);
  for (const value of [pipeline, file]) {
    const args = ['plan', '--name', 'x', '--graph', NO_STORE_PATHS, '--layering-pipeline', value];
    const { status, stderr } = spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8' });
    assert.equal(status, 1);
    assert.match(stderr, /no_such_operation.*\[PIPELINE_INVALID\]/s);
  }
});
