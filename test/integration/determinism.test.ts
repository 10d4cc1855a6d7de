/** Whatever is not in the image description and the closure has no influence on a single byte of the archive. */
import assert from 'node:assert/strict';
import { chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, it } from 'node:test';
import { buildTestClosure, describeTestImage } from './support/closure.ts';
import type { TestClosure } from './support/closure.ts';
import { pathInfoJson } from './support/nix.ts';
import { phylloCommand } from './support/phyllo.ts';
import { runChecked } from './support/process.ts';
import type { RunOptions } from './support/process.ts';
import { describeWith } from './support/requirements.ts';
import { sha256OfFile } from './support/skopeo.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';

const NOBODY = 65534;

const directory = temporaryDirectory();

describeWith(['nix', 'otherUser'], 'an archive is the same', () => {
  let closure: TestClosure;
  let description: string;
  let expected: string;

  before(async () => {
    closure = await buildTestClosure(directory);
    description = describeTestImage(directory, closure.top);
    expected = await build({ name: 'expected' });
  });

  interface Variation {
    /** Of a new directory for the archive. */
    readonly name: string;
    readonly options?: readonly string[];
    readonly store?: string;
    /** What starts phyllo. */
    readonly wrapper?: readonly string[];
    readonly run?: RunOptions;
    /** Who owns the new directory. */
    readonly owner?: number;
    readonly toStdout?: boolean;
  }

  /** The archive's digest. */
  async function build(variation: Variation): Promise<string> {
    const output = join(directory, variation.name);
    mkdirSync(output);
    if (variation.owner !== undefined) chownSync(output, variation.owner, variation.owner);
    const archive = join(output, 'image.tar');
    const args = ['build', description, '--store', variation.store ?? closure.store.root];
    const destination = variation.toStdout === true ? '-' : `docker-archive:${archive}`;
    const phyllo = phylloCommand([...args, ...(variation.options ?? []), '--to', destination]);
    const [program = '', ...rest] = [...(variation.wrapper ?? []), ...phyllo];
    const stdout = variation.toStdout === true ? { stdoutFile: archive } : {};
    await runChecked(program, rest, { ...variation.run, ...stdout });
    return sha256OfFile(archive);
  }

  it('when it is made again', async () => {
    assert.equal(await build({ name: 'again' }), expected);
  });

  it('on standard output', async () => {
    assert.equal(await build({ name: 'stdout', toStdout: true }), expected);
    assert.equal(await build({ name: 'stdout-1', toStdout: true, options: ['--jobs', '1'] }), expected);
  });

  for (const jobs of ['1', '2', '4'])
    it(`with ${jobs} workers`, async () => {
      assert.equal(await build({ name: `jobs-${jobs}`, options: ['--jobs', jobs] }), expected);
    });

  it('with a shuffled graph', async () => {
    const graph = join(directory, 'shuffled.json');
    writeFileSync(graph, shuffled(await pathInfoJson(closure.store, [closure.top])));
    assert.equal(await build({ name: 'shuffled', options: ['--graph', graph] }), expected);
  });

  it('in another time zone and locale', async () => {
    const env = { TZ: 'Pacific/Kiritimati', LC_ALL: 'tr_TR.UTF-8', LANG: 'tr_TR.UTF-8' };
    assert.equal(await build({ name: 'kiritimati', run: { env } }), expected);
    assert.equal(await build({ name: 'posix', run: { env: { TZ: 'UTC', LC_ALL: 'C' } } }), expected);
  });

  for (const umask of ['000', '077'])
    it(`with umask ${umask}`, async () => {
      const wrapper = ['sh', '-euc', `umask ${umask}; exec "$@"`, 'sh'];
      assert.equal(await build({ name: `umask-${umask}`, wrapper }), expected);
    });

  it('for another user', async () => {
    const wrapper = [
      'setpriv',
      `--reuid=${NOBODY}`,
      `--regid=${NOBODY}`,
      '--clear-groups',
      '--inh-caps=+dac_read_search',
      '--ambient-caps=+dac_read_search',
    ];
    assert.equal(await build({ name: 'nobody', wrapper, owner: NOBODY }), expected);
  });

  it('from a store in another directory, with other times and owners, read from another directory', async () => {
    const copy = join(directory, 'another-root');
    await runChecked('cp', ['--archive', closure.store.root, copy]);
    await runChecked('find', [
      join(copy, 'nix/store'),
      '-exec',
      'touch',
      '-h',
      '-d',
      '2024-02-29',
      '{}',
      '+',
    ]);
    await runChecked('chown', ['-R', '-h', `${NOBODY}:${NOBODY}`, join(copy, 'nix/store')]);
    assert.equal(await build({ name: 'copy', store: copy, run: { cwd: '/' } }), expected);
  });
});

/** The same graph with its paths, and each path's references, in another order. */
function shuffled(pathInfo: string): string {
  const paths = JSON.parse(pathInfo) as { readonly references: readonly string[] }[];
  const reordered = paths.map((info) => Object.assign(info, { references: info.references.toReversed() }));
  return JSON.stringify([...reordered.slice(3).toReversed(), ...reordered.slice(0, 3)]);
}
