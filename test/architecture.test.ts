/** The structure that ARCHITECTURE.md describes: imports point one way, and each part keeps to its own business. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { test } from 'node:test';

const SOURCE = join(import.meta.dirname, '..', 'src');

/** From the top down: a file may import from its own part and from those after it. */
const PARTS = [
  'cli',
  'index',
  'build-index',
  'build-image',
  'deliver-sbom',
  'describe-bill',
  'price-update',
  'diff-images',
  'write-report',
  'report-image',
  'report',
  'find-closure',
  'stream-dockertools',
  'write-customisation',
  'dockertools-description',
  'initial-description',
  'image-layers',
  'customise-image',
  'listed-paths',
  'open-previous',
  'open-base',
  'plan-image',
  'plan-once',
  'customise',
  'transport',
  'sbom',
  'image',
  'plan',
  'layer',
  'store',
  'http',
  'compression',
  'digest',
  'errors',
];

interface SourceFile {
  readonly path: string;
  readonly part: string;
  readonly text: string;
  /** Specifiers as written. */
  readonly imports: readonly string[];
}

const FILES: readonly SourceFile[] = globSync('**/*.ts', { cwd: SOURCE }).map((path) => {
  const text = readFileSync(join(SOURCE, path), 'utf8');
  const imports = [...text.matchAll(/(?:from|import|import\(|getBuiltinModule\(|require\()\s*'([^']+)'/g)];
  return { path, part: partOf(path), text, imports: imports.map(([, specifier]) => specifier as string) };
});

test('every file belongs to a part, and there is no index below src', () => {
  assert.ok(FILES.length > 30);
  for (const { path, part } of FILES) assert.ok(PARTS.includes(part), `${path} belongs to no part`);
  assert.deepEqual(
    FILES.filter(({ path }) => /\/index\.ts$|utils|helpers/.test(path)),
    [],
  );
});

test('imports point one way', () => {
  for (const file of FILES) {
    for (const target of localImports(file)) {
      const isDown = PARTS.indexOf(partOf(target)) >= PARTS.indexOf(file.part);
      assert.ok(isDown, `${file.path} imports ${target}, which is above it`);
    }
  }
});

test('the command line uses the public API alone', () => {
  for (const file of FILES.filter(({ part }) => part === 'cli')) {
    for (const target of localImports(file)) assert.match(target, /^(cli\/|index\.ts$)/, file.path);
  }
});

/** What a page's program and the command have in common: files that import nothing that a browser does not have. */
const SHARED_WITH_PAGES = ['src/plan/describe-size.ts', 'src/report/page-data.ts', 'src/report/words.ts'];

test("the report page's program stands alone", () => {
  const page = join(SOURCE, '../report-page');
  for (const path of globSync('**/*.ts', { cwd: page })) {
    const imports = readFileSync(join(page, path), 'utf8').matchAll(/from '([^']+)'/g);
    for (const [, specifier = ''] of imports) {
      const target = specifier.startsWith('..') ? specifier.slice(3) : specifier;
      assert.ok(
        /^\.\/|^d3-hierarchy$/.test(target) || SHARED_WITH_PAGES.includes(target),
        `${path}: ${target}`,
      );
    }
  }
  for (const path of SHARED_WITH_PAGES)
    assert.doesNotMatch(readFileSync(join(SOURCE, '..', path), 'utf8'), /^import|from '/m, path);
});

const RULES: readonly { readonly what: string; readonly pattern: RegExp; readonly allowed: RegExp }[] = [
  {
    what: 'starts processes',
    pattern: /'node:child_process'/,
    // Credential helpers are programs: docker's and podman's files name them.
    allowed: /^(store\/|customise\/run-commands\.ts$|transport\/registry\/credential-helper\.ts$)/,
  },
  { what: 'uses worker threads', pattern: /'node:worker_threads'/, allowed: /^layer\// },
  {
    what: 'talks to the network',
    pattern: /'node:(net|http|https|http2|tls|dgram)'|'undici'|\bfetch\(/,
    allowed: /^(transport|store|http)\//,
  },
  {
    what: 'reads files',
    pattern: /'node:fs(\/promises)?'/,
    allowed: /^((cli|customise|transport|layer|store)\/|write-report\.ts$)/,
  },
  { what: 'prints', pattern: /\bconsole\.|process\.std(out|err)\b/, allowed: /^cli\// },
  { what: 'reads the environment', pattern: /process\.(env|argv|cwd)\b/, allowed: /^cli\// },
  {
    what: 'exits or sends signals',
    pattern: /process\.(exit|exitCode|kill)\b/,
    allowed: /^(cli\/|customise\/run-commands\.ts$)/,
  },
  {
    what: 'reads the clock',
    pattern: /new Date\(\)|Date\.now\(\)|performance\.now\(\)|Math\.random\(/,
    // A server may name the time until which to wait, and clients must not all come back at the same moment. Tokens expire.
    allowed: /^(cli\/|http\/retry\.ts$|transport\/registry\/token-cache\.ts$)/,
  },
];

for (const { what, pattern, allowed } of RULES) {
  test(`only where it is allowed: ${what}`, () => {
    for (const { path, text } of FILES) {
      if (!allowed.test(path)) assert.doesNotMatch(text, pattern, path);
    }
  });
}

function localImports({ path, imports }: SourceFile): string[] {
  const directory = join(SOURCE, path, '..');
  return imports
    .filter((specifier) => specifier.startsWith('.'))
    .map((specifier) => relative(SOURCE, join(directory, specifier)));
}

function partOf(path: string): string {
  return (path.split('/')[0] as string).replace(/\.ts$/, '');
}
