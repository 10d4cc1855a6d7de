/**
 * Bundles the command and the worker threads into dist/command/, with what they load only at times in files of its own. A short run spent
 * most of its time on finding and reading some 300 files; the library stays as it is compiled.
 */
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const pathOf = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url));
const command = pathOf('dist/command');

/** Libraries that are loaded when they are needed, from where they are installed. */
const external = ['@cyclonedx/cyclonedx-library', 'packageurl-js', 'undici', 'xz-decompress'];
/** Those that every run needs are in the bundle. A copy of a library comes with its license. */
const included = ['commander', 'fastest-levenshtein', 'p-limit', 'strip-json-comments', 'yocto-queue', 'zod'];

/** A module that asks where it is, as those do that look for files beside them, is told where it was. */
const places = {
  name: 'places',
  setup({ onLoad }) {
    onLoad({ filter: /\/dist\/.*\.js$/, namespace: 'file' }, ({ path }) => {
      if (!path.startsWith(pathOf('dist/'))) return undefined;
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
const { metafile } = await build({
  entryPoints: { main: pathOf('dist/cli/main.js'), 'layer-worker': pathOf('dist/layer/layer-worker.js') },
  outdir: command,
  bundle: true,
  splitting: true,
  metafile: true,
  external,
  platform: 'node',
  format: 'esm',
  target: 'node24',
  plugins: [places],
  // Libraries in the older form of modules ask for Node's own ones with require.
  banner: {
    js: `/*! Includes:\n${included.map(licenseOf).join('\n')}*/\nimport { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);`,
  },
  logLevel: 'warning',
});

const found = Object.keys(metafile.inputs).flatMap(
  (file) => /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1] ?? [],
);
const unnamed = [...new Set(found)].filter((name) => !included.includes(name));
if (unnamed.length > 0) throw new Error(`the bundle includes libraries without their licenses: ${unnamed}`);

function licenseOf(name) {
  const directory = pathOf(`node_modules/${name}`);
  const file = readdirSync(directory).find((entry) => /^licen[cs]e/i.test(entry));
  if (file === undefined) throw new Error(`${name} has no license`);
  return `${name}:\n${readFileSync(`${directory}/${file}`, 'utf8').trim()}\n`;
}
