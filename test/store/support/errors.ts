/** What a test says of an expected failure: its class, its code and what it names, never its wording. */
import assert from 'node:assert/strict';
import { PhylloError, type ErrorCode } from '../../../src/errors.ts';

/** For `assert.throws` and `assert.rejects`. */
export function failsWith(code: ErrorCode, ...named: readonly string[]): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof PhylloError, `not a PhylloError: ${String(error)}`);
    assert.equal(error.code, code, error.message);
    for (const name of named)
      assert.ok(error.message.includes(name), `${error.message} does not name ${name}`);
    return true;
  };
}

/** Runs `act`, which may fail as a PhylloError only; whether it did not. */
export function succeedsOrFailsProperly(act: () => unknown): boolean {
  try {
    act();
    return true;
  } catch (error) {
    assert.ok(error instanceof PhylloError, `not a PhylloError: ${String(error)}`);
    return false;
  }
}
