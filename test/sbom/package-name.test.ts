import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parsePackageName } from '../../src/sbom/package-name.ts';

const NAMES: readonly (readonly [string, string, string?, string?])[] = [
  ['hello-2.12.1', 'hello', '2.12.1'],
  ['openssl-3.0.13-bin', 'openssl', '3.0.13', 'bin'],
  ['glibc-2.39-52', 'glibc', '2.39-52'],
  ['glibc-2.39-52-dev', 'glibc', '2.39-52', 'dev'],
  ['gcc-13.2.0-lib', 'gcc', '13.2.0', 'lib'],
  ['python3.11-numpy-1.26.4', 'python3.11-numpy', '1.26.4'],
  ['libfoo-1.0-beta', 'libfoo', '1.0-beta'],
  ['foo-unstable-2024-01-02', 'foo-unstable', '2024-01-02'],
  ['gtk+3-3.24', 'gtk+3', '3.24'],
  ['manual.txt', 'manual.txt'],
  ['bash-interactive', 'bash-interactive'],
  ['source', 'source'],
  ['x-', 'x-'],
  ['-1', '-1'],
  ['a-1-', 'a', '1-'],
  ['a--bin', 'a', '-bin'],
  ['a-0-man', 'a', '0', 'man'],
];

test('names are divided as Nix does, and outputs are told from versions', () => {
  for (const [text, name, version, output] of NAMES)
    assert.deepEqual(parsePackageName(text), { name, version, output }, text);
});
