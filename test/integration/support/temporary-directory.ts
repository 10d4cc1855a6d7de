/** A directory for the tests of one file. */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';

/** A new directory, readable for every user, removed after the tests of the enclosing suite. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'phyllo-test-'));
  chmodSync(directory, 0o755);
  after(() => rmSync(directory, { recursive: true, force: true, maxRetries: 3 }));
  return directory;
}
