/** Writes what is made of the program's own descriptions into dist/: the manual's pages and scripts for shells. Part of the build. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { completionScript, SHELLS } from '../dist/cli/completion-script.js';
import { manualPages } from '../dist/cli/manual.js';
import { createProgram } from '../dist/cli/program.js';

const program = createProgram(new AbortController().signal);

write('man', manualPages(program));
write(
  'completions',
  SHELLS.map((shell) => ({ file: `phyllo.${shell}`, text: completionScript(shell, program) })),
);

function write(name, files) {
  const directory = new URL(`../dist/${name}/`, import.meta.url);
  mkdirSync(directory, { recursive: true });
  for (const { file, text } of files) writeFileSync(new URL(file, directory), text);
}
