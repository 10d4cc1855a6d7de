/** A directory for the tests of one file. */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';

/**
 * A new directory, readable for every user. Call it at the top of a file: then it is removed after all suites, and what they have started
 * there has been stopped.
 */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'phyllo-test-'));
  chmodSync(directory, 0o755);
  after(() => rmSync(directory, { recursive: true, force: true, maxRetries: 3 }));
  return directory;
}
