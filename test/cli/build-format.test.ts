/** `phyllo build --format dockertools`: nixpkgs' archive of images that we describe. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseDockerToolsConf } from '../../src/image/dockertools-conf.ts';
import { orderedObject, printLikePython } from '../../src/image/ordered-json.ts';
import { type WholeArchiveCase, wholeArchiveCases } from '../support/golden.ts';
import { temporaryDirectory } from '../support/temporary.ts';

const PROGRAM = join(import.meta.dirname, '../../bin/phyllo.cjs');

/** A machine without Nix builds these images, too. */
const NO_STORE_PATHS = join(import.meta.dirname, '../fixtures/no-store-paths.json');

/** Images without store paths, whose archives differ from the reference's in the customisation layer's history alone. */
const CASES = wholeArchiveCases().filter(
  ({ storePaths, customisation, fromImage, arguments: args, expected }) =>
    storePaths.length === 0 &&
    customisation.entries.length === 1 &&
    customisation.archiveEntry.uid === 0 &&
    fromImage === null &&
    args.length === 0 &&
    expected.error !== true,
);

test('there are cases of rich and of odd configurations', () => {
  const names = CASES.map(({ name }) => name);
  for (const name of ['config-unicode', 'config-key-order', 'config-duplicate-key', 'config-numbers'])
    assert.ok(names.includes(name), name);
});

/** IMAGE.json does not allow a null there; nixpkgs' functions cut a date's fraction before the streamer sees it. */
const OTHER = ['config-null', 'base-env-null', 'created-z-micro'];

for (const vector of CASES.filter(({ name }) => !OTHER.includes(name))) {
  test(`an image as nixpkgs' streamer writes it, to a file and to a pipe: ${vector.name}`, (context) => {
    const directory = temporaryDirectory(context);
    const [image, archive] = [join(directory, 'image.json'), join(directory, 'image.tar')];
    writeFileSync(image, describe(vector));
    const built = phyllo(['build', image, '--format', 'dockertools', '--to', `docker-archive:${archive}`]);
    assert.equal(built.status, 0, built.stderr.toString());
    const streamed = phyllo(['build', image, '--format', 'dockertools', '--to', '-']);
    const bytes = readFileSync(archive);
    assert.ok(bytes.equals(streamed.stdout), streamed.stderr.toString());
    const config = expectedConfig(vector);
    const digest = createHash('sha256').update(config).digest('hex');
    assert.ok(built.stderr.includes(digest), built.stderr.toString());
    assert.ok(bytes.includes(config));
    assert.ok(bytes.includes(`${digest}.json`));
  });
}

test('a config from a flag keeps its order, too', (context) => {
  const directory = temporaryDirectory(context);
  const file = join(directory, 'config.json');
  writeFileSync(file, '{"Labels": {"b": "1", "2": "x", "1": "y"}}');
  for (const config of [readFileSync(file, 'utf8'), `@${file}`]) {
    const args = ['--name', 'x', '--config', config, '--format', 'dockertools', '--to', '-'];
    const { stdout, stderr } = phyllo(['build', ...args]);
    assert.match(stdout.toString(), /"b": "1",\s+"2": "x",\s+"1": "y"/, stderr.toString());
  }
});

test('labels from the description come after those of the config', (context) => {
  const image = join(temporaryDirectory(context), 'image.json');
  writeFileSync(image, '{"name":"x","config":{"Labels":{"b":"1","1":"y"}},"labels":{"a":"2","b":"3"}}');
  const { stdout } = phyllo(['build', image, '--format', 'dockertools', '--to', '-']);
  assert.match(stdout.toString(), /"b": "3",\s+"1": "y",\s+"a": "2"/);
});

const WRONG: Readonly<Record<string, readonly string[]>> = {
  'compressed layers': ['--compress', 'gzip', '--to', '-'],
  'an OCI layout': ['--to', 'oci:layout'],
  'an OCI archive': ['--to', 'oci-archive:image.tar'],
};

for (const [what, args] of Object.entries(WRONG)) {
  test(`wrong usage with this format: ${what}`, (context) => {
    const cwd = temporaryDirectory(context);
    const { status, stderr } = phyllo(['build', '--name', 'x', '--format', 'dockertools', ...args], cwd);
    assert.equal(status, 2);
    assert.match(stderr.toString(), /USAGE_INVALID/);
    assert.ok(!existsSync(join(cwd, 'layout')) && !existsSync(join(cwd, 'image.tar')));
  });
}

function phyllo(
  args: readonly string[],
  cwd?: string,
): ReturnType<typeof spawnSync> & { stdout: Buffer; stderr: Buffer } {
  const [command = '', ...rest] = args;
  const options = ['--graph', NO_STORE_PATHS, '--no-cache', '--jobs', '2'];
  return spawnSync(process.execPath, [PROGRAM, command, ...rest, ...options], { cwd });
}

/** IMAGE.json with the text of the configuration's `config`. */
function describe({ conf: text }: WholeArchiveCase): string {
  const conf = parseDockerToolsConf(text, { now: '' });
  const [name, tag] = conf.repoTag.split(':') as [string, string];
  return printLikePython(
    orderedObject([
      ['name', name],
      ['tag', tag],
      ['architecture', conf.architecture],
      ['created', rfc3339(conf.created.text)],
      ['mtime', new Date(conf.mtimeSeconds * 1000).toISOString()],
      ['config', conf.config],
    ]),
  );
}

/** A date with its zone. */
function rfc3339(text: string): string {
  return text.replace('+00:00', 'Z');
}

function expectedConfig({ expected, customisation }: WholeArchiveCase): string {
  return expected.config.replace(`['${customisation.path}']`, '[]');
}
