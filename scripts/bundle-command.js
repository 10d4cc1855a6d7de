/**
 * Bundles the command into dist/command/, with what it loads only at times in files of its own. A short run spent most of its time
 * on finding and reading some 300 files; the library and the worker threads stay as they are compiled.
 */
import { readFileSync, rmSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const dist = fileURLToPath(new URL('../dist', import.meta.url));
const command = `${dist}/command`;

/** A module that asks where it is, as those do that look for files beside them, is told where it was. */
const places = {
  name: 'places',
  setup({ onLoad }) {
    onLoad({ filter: /\.js$/, namespace: 'file' }, ({ path }) => {
      const place = JSON.stringify(relative(command, path));
      const contents = readFileSync(path, 'utf8')
        .replaceAll('import.meta.url', `new URL(${place}, import.meta.url).href`)
        .replaceAll('import.meta.filename', place);
      return { contents };
    });
  },
};

// Names of chunks follow from their contents: those of earlier builds would stay.
rmSync(command, { recursive: true, force: true });
await build({
  entryPoints: [`${dist}/cli/main.js`],
  outdir: command,
  bundle: true,
  splitting: true,
  packages: 'external',
  platform: 'node',
  format: 'esm',
  target: 'node24',
  plugins: [places],
  logLevel: 'warning',
});
