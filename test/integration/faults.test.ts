/** Pushes while everything goes wrong: the first of many runs of support/fault-runs.ts. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { faultRuns } from './support/fault-runs.ts';
import { describeWith } from './support/requirements.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';

const directory = temporaryDirectory();

describeWith(['registry'], 'a push through a proxy that breaks things', () => {
  it('ends with a complete image or with an error, and shows nobody else who it is', async () => {
    const { complete, failed, happened } = await faultRuns({ directory, runs: 40, seed: 1 });
    const errors = [...failed.values()].reduce((sum, count) => sum + count, 0);
    assert.equal(complete + errors, 40);
    assert.ok(complete > errors, 'most faults pass');
    assert.ok(happened.size > 8, 'many kinds of faults happened');
  });
});
