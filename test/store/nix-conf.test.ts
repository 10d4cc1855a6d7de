import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { nixConfList, readNixConf } from '../../src/store/nix-conf.ts';
import { failsWith } from './support/errors.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';

const directory = temporaryDirectory();

function write(name: string, text: string): string {
  const file = join(directory, name);
  writeFileSync(file, text);
  return file;
}

test('later files win, and extra settings are added', () => {
  write('included.conf', 'extra-trusted-public-keys = c:3\n');
  const system = write('system.conf', 'trusted-public-keys = a:1 # one\nrequire-sigs = true\n');
  const user = write(
    'user.conf',
    'trusted-public-keys = b:2\n# require-sigs = true\ninclude included.conf\n!include absent.conf\nrequire-sigs = false\n',
  );
  const conf = readNixConf([join(directory, 'absent'), system, user]);
  assert.deepEqual(nixConfList(conf, 'trusted-public-keys', ['d:4']), ['b:2', 'c:3']);
  assert.deepEqual(nixConfList(conf, 'substituters', ['x']), ['x']);
  assert.equal(conf.get('require-sigs'), 'false');
});

test('files that are not there or include themselves are named', () => {
  const missing = write('missing.conf', 'include absent.conf\n');
  assert.throws(() => readNixConf([missing]), failsWith('FILE_UNREADABLE', 'absent.conf'));
  const circular = write('circular.conf', 'include circular.conf\n');
  assert.throws(() => readNixConf([circular]), failsWith('FILE_UNREADABLE', 'circular.conf'));
});
