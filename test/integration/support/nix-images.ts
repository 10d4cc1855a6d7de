/** The images of images.nix, built by real Nix, and what is in them. */
import { join } from 'node:path';
import { realPath } from './nix.ts';
import { type NixFunctions, prepareNixFunctions } from './nix-functions.ts';
import { once } from './once.ts';
import { phylloChecked } from './phyllo.ts';
import { runChecked } from './process.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const ARCHIVES = [
  ...([
    'archive',
    'gzipped',
    'zstandard',
    'untagged',
    'configOnly',
    'helloImage',
    'shared',
    'twoLayers',
  ] as const),
  ...([
    'registry',
    'quoting',
    'now',
    'owned',
    'foreign',
    'pipeline',
    'commands',
    'found',
    'withDatabase',
    'withoutStore',
    'permitted',
    'based',
    'basedTwice',
    'merged',
    'exported',
    'exportedOfMerged',
    'everything',
  ] as const),
];
const OTHERS = [
  'stream',
  'conf',
  'permittedConf',
  'streamOfUntagged',
  'commandsStream',
  'nixpkgsFormat',
  'nixpkgsFormatArchive',
  'nixpkgsFormatConf',
  'fakeroot',
  'basedStream',
  'upper',
  'other',
  'bash',
  'program',
  'hello',
  'top',
  'sandbox',
] as const;
/** Of the tests of one file. */
export const directory = temporaryDirectory();

export interface Built {
  readonly functions: NixFunctions;
  /** As Nix calls them. */
  readonly paths: Readonly<Record<(typeof ARCHIVES)[number] | (typeof OTHERS)[number] | 'manual', string>>;
}

/** All of them, built once. */
export const built = once(async (): Promise<Built> => {
  const functions = await prepareNixFunctions(directory);
  const manual = (await functions.evaluate('manual')) as string;
  return { functions, paths: { ...(await functions.build([...ARCHIVES, ...OTHERS])), manual } };
});

export interface Inspected {
  readonly names: readonly string[];
  readonly imageID: string;
  readonly created: string;
  readonly platform: Readonly<Record<string, string>>;
  readonly config: Readonly<Record<string, unknown>>;
  readonly layers: readonly { readonly digest: string; readonly storePaths: readonly string[] }[];
}

/** Where the file is. */
export async function fileOf(attribute: keyof Built['paths']): Promise<string> {
  const { functions, paths } = await built();
  return realPath(functions.store, paths[attribute]);
}

export async function inspect(file: string): Promise<Inspected> {
  return JSON.parse(await phylloChecked(['inspect', '--json', file])) as Inspected;
}

export async function inspectBuilt(attribute: keyof Built['paths']): Promise<Inspected> {
  return inspect(await fileOf(attribute));
}

/** Ascending. */
export function storePathsOf({ layers }: Inspected): readonly string[] {
  return layers.flatMap(({ storePaths }) => storePaths).sort();
}

export interface Root {
  /** A tar. */
  readonly file: string;
  readonly names: readonly string[];
  /** As `tar --list --verbose` prints it, owners as numbers. */
  entry(name: string): Promise<string>;
  content(name: string): Promise<string>;
}

/** What the layers of an image make together. */
export async function rootOf(attribute: keyof Built['paths']): Promise<Root> {
  const file = join(directory, `${attribute}-root.tar`);
  await phylloChecked(['copy', '--quiet', await fileOf(attribute), `rootfs:${file}`]);
  return {
    file,
    names: (await runChecked('tar', ['--list', '--file', file])).trimEnd().split('\n'),
    entry: (name) =>
      runChecked('tar', ['--list', '--verbose', '--numeric-owner', '--no-recursion', '--file', file, name]),
    content: (name) => runChecked('tar', ['--extract', '--to-stdout', '--file', file, name]),
  };
}
