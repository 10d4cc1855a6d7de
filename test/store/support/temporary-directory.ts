/** A directory for the tests of one file. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';

/** New and empty, removed after the tests. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'phyllo-test-'));
  after(() => rmSync(directory, { recursive: true, force: true, maxRetries: 3 }));
  return directory;
}
