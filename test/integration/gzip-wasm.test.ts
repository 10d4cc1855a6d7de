/** The committed WebAssembly is what its source in the repository compiles to. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { temporaryDirectory } from '../support/temporary.ts';
import { describeWith } from './support/requirements.ts';

const committed = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

describeWith(['clang'], 'gzip as WebAssembly', () => {
  it('is made again byte for byte', (context) => {
    const made = join(temporaryDirectory(context), 'gzip.wasm');
    execFileSync(committed('wasm/build.sh'), [made]);
    assert.ok(readFileSync(made).equals(readFileSync(committed('src/layer/gzip.wasm'))));
  });

  it('comes with the license of its library', () => {
    assert.equal(
      readFileSync(committed('src/layer/gzip.wasm.license'), 'utf8'),
      readFileSync(committed('wasm/libdeflate/COPYING'), 'utf8'),
    );
  });
});
