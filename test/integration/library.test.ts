/** The library as a program of somebody else's uses it: through the package's name. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { HELLO, phylloChecked } from './support/phyllo.ts';
import { runChecked } from './support/process.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';

const EXAMPLE = join(import.meta.dirname, '../../examples/library/build.ts');

it('builds the same bytes as the command', async () => {
  const directory = temporaryDirectory();
  const said = await runChecked(process.execPath, [EXAMPLE, 'library.tar'], { cwd: directory });
  assert.match(said, /^sha256:[0-9a-f]{64}: 6 layers, 6 made$/m);
  const command = join(directory, 'command.tar');
  await phylloChecked(['build', join(HELLO, 'image.json'), '--to', `docker-archive:${command}`]);
  assert.ok(readFileSync(join(directory, 'library.tar')).equals(readFileSync(command)));
});
