/** `phyllo dockertools`: what nixpkgs' streamer writes, from its own configuration, through the command. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chownSync, closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { type WholeArchiveCase, wholeArchiveCases } from '../support/golden.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { caseNamed, makeVectorStore } from '../support/vector-archive.ts';

const CASES = wholeArchiveCases();
const PROGRAM = join(import.meta.dirname, '../../bin/phyllo.cjs');
const OWN_UID = process.getuid?.() ?? 0;

for (const vector of CASES.filter(({ expected }) => expected.error !== true)) {
  const { name, note, expected } = vector;
  const needsRoot = OWN_UID !== 0 && 'the file must have another owner: run the tests as root';
  test(`the command writes nixpkgs' archive: ${name} (${note})`, { skip: needsRoot }, async (context) => {
    const { status, stderr, archive } = await runCase(vector, temporaryDirectory(context));
    assert.equal(status, 0, stderr);
    const bytes = readFileSync(archive);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    assert.deepEqual({ size: bytes.length, sha256 }, expected.archive);
    assert.ok(stderr.includes(expected.configDigest), stderr);
  });
}

const ERRORS: Readonly<Record<string, string>> = {
  'bad-store-dir': 'STORE_PATH_INVALID',
  'bad-checksum': 'IMAGE_INVALID',
};

for (const [name, code] of Object.entries(ERRORS)) {
  test(`wrong input is an error of ours: ${name}`, async (context) => {
    const { status, stderr } = await runCase(caseNamed(name), temporaryDirectory(context));
    assert.equal(status, 1);
    assert.match(stderr, new RegExp(`\\[${code}\\]`));
  });
}

for (const name of ['on-config-null', 'null-on-base', 'on-env-null']) {
  test(`where the reference raises an error over a null, it counts as nothing: ${name}`, async (context) => {
    const { status, stderr } = await runCase(caseNamed(name), temporaryDirectory(context));
    assert.equal(status, 0, stderr);
  });
}

test('an empty name is none', async (context) => {
  const vector = { ...caseNamed('hello'), arguments: ['--repo_tag', ''] as const };
  const { archive } = await runCase(vector, temporaryDirectory(context));
  assert.equal(
    createHash('sha256').update(readFileSync(archive)).digest('hex'),
    vector.expected.archive.sha256,
  );
});

test('a customisation layer that is not what its checksum says is an error', async (context) => {
  const vector = caseNamed('hello');
  const customisation = { ...vector.customisation, checksumFile: '0'.repeat(64) };
  const { status, stderr } = await runCase({ ...vector, customisation }, temporaryDirectory(context));
  assert.equal(status, 1);
  assert.match(stderr, /ARCHIVE_INVALID/);
});

test('what is not a configuration is said', (context) => {
  const file = join(temporaryDirectory(context), 'conf.json');
  writeFileSync(file, '{"config": {}}');
  const { status, stderr } = spawnSync(process.execPath, [PROGRAM, 'dockertools', file], {
    encoding: 'utf8',
  });
  assert.equal(status, 1);
  assert.match(stderr, /store_layers.*IMAGE_INVALID/s);
});

interface Ran {
  readonly status: number | null;
  readonly stderr: string;
  /** What it wrote. */
  readonly archive: string;
}

async function runCase(vector: WholeArchiveCase, directory: string): Promise<Ran> {
  const root = join(directory, vector.name);
  await makeVectorStore(vector, { root });
  const { path, archiveEntry } = vector.customisation;
  if (OWN_UID === 0) chownSync(join(root, path, 'layer.tar'), archiveEntry.uid, archiveEntry.gid);
  const conf = join(root, 'conf.json');
  writeFileSync(conf, vector.conf.replace('@FROM_IMAGE@', await makeBase(vector, directory)));
  const archive = join(directory, `${vector.name}.tar`);
  const output = openSync(archive, 'w');
  try {
    const args = ['dockertools', conf, ...vector.arguments, '--store', root, '--jobs', '2'];
    const { status, stderr } = spawnSync(process.execPath, [PROGRAM, ...args], {
      encoding: 'utf8',
      stdio: ['ignore', output, 'pipe'],
    });
    return { status, stderr, archive };
  } finally {
    closeSync(output);
  }
}

async function makeBase({ fromImage, name }: WholeArchiveCase, directory: string): Promise<string> {
  if (fromImage === null) return '';
  const file = join(directory, `base-of-${name}.tar`);
  if ('gzipBase64' in fromImage) {
    writeFileSync(file, gunzipSync(Buffer.from(fromImage.gzipBase64, 'base64')));
    return file;
  }
  const { archive } = await runCase(caseNamed(fromImage.case), directory);
  if (fromImage.compression === undefined) return archive;
  writeFileSync(file, execFileSync(fromImage.compression, ['-c', archive]));
  return file;
}
