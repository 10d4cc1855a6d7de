/** nix/functions.nix with Phyllo and Node.js in a Nix store, as users of Nix have them: store-path-functions.nix. */
import { cpSync, mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { asMachineStore, createNixStore, nixBuild, type NixStore } from './nix.ts';
import { REPOSITORY } from './phyllo.ts';
import { runChecked } from './process.ts';

export interface NixFunctions {
  readonly store: NixStore;
  /** The file with the expression of all attributes. */
  readonly file: string;
  /** Builds attributes; their store paths, as Nix calls them. */
  build<Name extends string>(attributes: readonly Name[]): Promise<Readonly<Record<Name, string>>>;
  /** An attribute's value, for which nothing is built. */
  evaluate(attribute: string): Promise<unknown>;
}

export interface ImagesFile {
  /** A file beside this one, a function of the store paths of Phyllo and of Node.js. Default: images.nix. */
  readonly images?: string;
  /** Its other parameters, in Nix. */
  readonly parameters?: string;
}

/** `directory` must exist. */
export async function prepareNixFunctions(
  directory: string,
  { images = 'images.nix', parameters = '' }: ImagesFile = {},
): Promise<NixFunctions> {
  const store = createNixStore(directory);
  // One after the other: the first one makes the database.
  const phyllo = await addToStore(store, packageFiles(directory));
  const node = await addToStore(store, realpathSync(process.execPath));
  const file = join(directory, images);
  const programs = `package = builtins.storePath "${phyllo}"; node = builtins.storePath "${node}";`;
  writeFileSync(file, `import ${join(import.meta.dirname, images)} { ${programs} ${parameters} }`);
  return {
    store,
    file,
    async build<Name extends string>(attributes: readonly Name[]) {
      const paths = await nixBuild(store, file, { attributes });
      return Object.fromEntries(attributes.map((name, i) => [name, paths[i]])) as Record<Name, string>;
    },
    async evaluate(attribute) {
      const options = ['--store', store.root, '--eval', '--strict', '--json'];
      const args = [...options, file, '-A', attribute];
      return JSON.parse(await runChecked('nix-instantiate', args, { env: store.env })) as unknown;
    },
  };
}

/** Runs a stream, where its store is the machine's own, into a file. */
export async function runStream(
  store: NixStore,
  script: string,
  { file, args = [] }: { readonly file: string; readonly args?: readonly string[] },
): Promise<void> {
  const [program = '', ...rest] = asMachineStore(store, [script, ...args]);
  await runChecked(program, rest, { stdoutFile: file });
}

/** What npm installs of this package for its users. */
function packageFiles(directory: string): string {
  const place = join(directory, 'package');
  const modules = [...modulesOf('.')].map((name) => join('node_modules', name));
  mkdirSync(place);
  for (const part of ['package.json', 'bin', 'dist', ...modules])
    cpSync(join(REPOSITORY, part), join(place, part), { recursive: true });
  return place;
}

/** Names of all packages that the one in `place` needs, those of others among them. */
function modulesOf(place: string, found = new Set<string>()): ReadonlySet<string> {
  const { dependencies = {} } = JSON.parse(readFileSync(join(REPOSITORY, place, 'package.json'), 'utf8')) as {
    readonly dependencies?: Readonly<Record<string, string>>;
  };
  for (const name of Object.keys(dependencies).filter((one) => !found.has(one)))
    modulesOf(join('node_modules', name), found.add(name));
  return found;
}

async function addToStore(store: NixStore, file: string): Promise<string> {
  const output = await runChecked('nix-store', ['--store', store.root, '--add', file], { env: store.env });
  return output.trim();
}
