import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestPlans } from './digest-plans.ts';
import { readVectors } from './graphs.ts';

test('every planner makes the plans that it made before', () => {
  assert.deepEqual(digestPlans(), readVectors('plans.json'));
});
