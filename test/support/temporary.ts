import { chmodSync, lstatSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

/** A directory that is gone when the test ends, whatever modes its contents have. */
export function temporaryDirectory(context: Pick<TestContext, 'after'>): string {
  const directory = mkdtempSync(join(tmpdir(), 'phyllo-test-'));
  context.after(() => {
    makeWritable(Buffer.from(directory));
    rmSync(directory, { recursive: true, force: true });
  });
  return directory;
}

function makeWritable(directory: Buffer): void {
  chmodSync(directory, 0o700);
  for (const name of readdirSync(directory, 'buffer')) {
    const path = Buffer.concat([directory, Buffer.from('/'), name]);
    if (lstatSync(path).isDirectory()) makeWritable(path);
  }
}
