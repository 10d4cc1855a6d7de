/** Bundles report-page/, the program and the style of `phyllo report`'s pages, into dist/report-page/. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const pathOf = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url));
// A copy of a library comes with its license.
const license = readFileSync(pathOf('node_modules/d3-hierarchy/LICENSE'), 'utf8').trim();

const { errors } = await build({
  entryPoints: [pathOf('report-page/page.ts'), pathOf('report-page/page.css')],
  outdir: pathOf('dist/report-page'),
  bundle: true,
  minify: true,
  format: 'iife',
  target: ['chrome111', 'firefox113', 'safari16.4'],
  charset: 'utf8',
  tsconfigRaw: '{}',
  logLevel: 'warning',
  banner: { js: `/*! Includes parts of d3-hierarchy:\n${license}\n*/` },
});
if (errors.length > 0) process.exitCode = 1;
