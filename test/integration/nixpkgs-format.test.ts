/** nixpkgs' archive, byte for byte, from derivations that real Nix builds: what nixpkgs' functions describe, and what ours do. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, it } from 'node:test';
import { type WholeArchiveCase } from '../support/golden.ts';
import { caseNamed, makeVectorStore } from '../support/vector-archive.ts';
import { addToStore, asMachineStore, type NixStore, realPath } from './support/nix.ts';
import { type NixFunctions, prepareNixFunctions, runStream } from './support/nix-functions.ts';
import { phylloChecked, REPOSITORY } from './support/phyllo.ts';
import { runChecked } from './support/process.ts';
import { describeWith } from './support/requirements.ts';
import { sha256OfFile } from './support/skopeo.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';

const CASES = ['hello', 'grouped', 'owner', 'customisation-rich', 'repo-tag-argument', 'base-0'].map(
  caseNamed,
);
const ON_BASE = caseNamed('on-base');
/** Without store paths, and with configurations that Nix writes as they were: it sorts keys. */
const DESCRIBED = ['minimal', 'architecture'].map(caseNamed);

const NO_STORE_PATHS = join(REPOSITORY, 'test/fixtures/no-store-paths.json');

const directory = temporaryDirectory();

describeWith(['nix', 'fakeroot'], "an archive in nixpkgs' format", () => {
  let functions: NixFunctions;
  let built: Readonly<Record<string, string>>;

  before(async () => {
    const cases = join(directory, 'cases.json');
    writeFileSync(cases, JSON.stringify([...CASES, ...DESCRIBED].map((vector) => describe(vector))));
    functions = await prepareNixFunctions(directory, {
      images: 'nixpkgs-images.nix',
      parameters: `cases = ${cases};`,
    });
    for (const vector of [...CASES, ON_BASE]) await registerStorePaths(vector, functions.store);
    built = await functions.build([
      ...CASES.flatMap(({ name }) => [`streams.${name}`, `archives.${name}`]),
      ...DESCRIBED.map(({ name }) => `described.${name}`),
    ]);
  });

  /** What a stream writes. */
  async function stream(attribute: string, args: readonly string[] = []): Promise<string> {
    const { [attribute]: script = '' } = attribute in built ? built : await functions.build([attribute]);
    const file = join(directory, `${attribute}.tar`);
    await runStream(functions.store, script, { file, args });
    return file;
  }

  async function imageID(file: string): Promise<string> {
    return (JSON.parse(await phylloChecked(['inspect', '--json', file])) as { readonly imageID: string })
      .imageID;
  }

  for (const vector of CASES) {
    const { name, expected, arguments: args } = vector;
    it(`that nixpkgs describes has the reference's bytes as a stream, and its image ID as an archive: ${name}`, async () => {
      const file = await stream(`streams.${name}`, args);
      assert.equal(await sha256OfFile(file), `sha256:${expected.archive.sha256}`);
      const archive = built[`archives.${name}`] ?? '';
      assert.equal(await imageID(realPath(functions.store, archive)), expected.configDigest);
    });
  }

  it('that nixpkgs describes may be on a base', async () => {
    const [base = ''] = await addToStore(functions.store, [await stream('streams.base-0')]);
    const vector = describe(ON_BASE, base);
    writeFileSync(
      join(directory, 'cases.json'),
      JSON.stringify([vector, ...DESCRIBED.map((one) => describe(one))]),
    );
    const file = await stream('streams.on-base');
    assert.equal(await sha256OfFile(file), `sha256:${ON_BASE.expected.archive.sha256}`);
  });

  it('that nixpkgs describes has the attributes of others', async () => {
    assert.deepEqual(await functions.evaluate('answers.on-base'), ['phyllo', 'latest', 'an image', true]);
  });

  for (const { name, conf, customisation, expected } of DESCRIBED) {
    it(`of a description has the config that nixpkgs would write, and the bytes that the command writes: ${name}`, async () => {
      const file = await stream(`described.${name}`);
      // No derivation made the uppermost layer.
      const config = expected.config.replace(`['${customisation.path}']`, '[]');
      const digest = createHash('sha256').update(config).digest('hex');
      assert.equal(await imageID(file), `sha256:${digest}`);
      const { repo_tag, architecture, config: given } = JSON.parse(conf) as Conf;
      const [image, own] = [join(directory, `${name}.json`), join(directory, `${name}-own.tar`)];
      writeFileSync(image, JSON.stringify({ architecture, config: given }));
      const to = ['--format', 'dockertools', '--to', `docker-archive:${own}:${repo_tag}`];
      await phylloChecked(['build', image, '--name', 'x', '--graph', NO_STORE_PATHS, ...to]);
      assert.equal(await sha256OfFile(own), await sha256OfFile(file));
    });
  }
});

interface Conf {
  readonly repo_tag: string;
  readonly architecture: string;
  readonly config: unknown;
}

/** A case as nixpkgs-images.nix takes it. */
function describe({ name, conf, storePaths, customisation }: WholeArchiveCase, base?: string): object {
  const paths = [...storePaths.map(({ path }) => path), customisation.path];
  return {
    case: name,
    repoTag: (JSON.parse(conf) as Conf).repo_tag,
    conf: base === undefined ? conf : conf.replace('@FROM_IMAGE@', base),
    storePaths: base === undefined ? paths : [...paths, base],
  };
}

/** Makes the store paths valid, those that are not yet. */
async function registerStorePaths(vector: WholeArchiveCase, store: NixStore): Promise<void> {
  const storePaths = vector.storePaths.filter(({ path }) => !existsSync(realPath(store, path)));
  await makeVectorStore(
    { ...vector, storePaths },
    { root: store.root, scratch: join(directory, vector.name) },
  );
  const paths = [...storePaths.map(({ path }) => path), vector.customisation.path];
  const file = join(directory, 'valid');
  writeFileSync(file, paths.map((path) => `${path}\n\n0\n`).join(''));
  const register = ['sh', '-euc', 'exec nix-store --register-validity < "$1"', 'sh', file];
  const [program = '', ...args] = asMachineStore(store, register);
  await runChecked(program, args, { env: store.env });
}
