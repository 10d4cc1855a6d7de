/** Puts the compressor, which tsc does not know, and its library's license beside the module that reads it. */
import { copyFileSync } from 'node:fs';

for (const file of ['gzip.wasm', 'gzip.wasm.license'])
  copyFileSync(
    new URL(`../src/layer/${file}`, import.meta.url),
    new URL(`../dist/layer/${file}`, import.meta.url),
  );
