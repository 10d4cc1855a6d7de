/** An IMAGE.json to begin with: what a store path's name and files tell, and comments that say what else there is. */
import { parseImageName, parseTag } from './image/image-reference.ts';
import { scanTree } from './layer/scan-path.ts';
import { splitName } from './plan/update-causes.ts';
import { displayPath } from './store/directory-tree.ts';
import type { Store } from './store/store.ts';
import type { StorePath } from './store/store-path.ts';
import type { TreeEntry } from './store/tree.ts';

export interface InitialDescription {
  readonly name: string;
  /** Undefined: the program that the image should start is not known. */
  readonly command: string | undefined;
  /** JSON with comments, a newline at the end. */
  readonly text: string;
}

export interface InitialOptions {
  readonly store: Store;
  /** The field `store`; undefined: the default. */
  readonly place: string | undefined;
  /** The field `$schema`; undefined where nothing is known to lie in reach of the file. */
  readonly schema: string | undefined;
}

/**
 * @param paths the first one names the image and has its program
 * @throws PhylloError as Store.closure, and as scanPath
 */
export async function describeInitially(
  paths: readonly [StorePath, ...StorePath[]],
  { store, place, schema }: InitialOptions,
): Promise<InitialDescription> {
  await store.closure(paths);
  const [main] = paths;
  const { name, version } = splitName(main);
  const files = await describeFiles(main, store);
  const contents = files.kind === 'directory' ? paths : paths.slice(1);
  const image = {
    schema,
    name: valid(parseImageName, name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')) ?? 'image',
    tag: valid(parseTag, version.replaceAll(/[^\w.-]/g, '-')),
    contents,
    command: commandOf(main, files),
    programs: files.programs,
    place,
  };
  return { name: image.name, command: image.command, text: render(image) };
}

interface Files {
  readonly kind: TreeEntry['kind'] | 'program';
  /** Names in `bin/`, ascending. */
  readonly programs: readonly string[];
}

async function describeFiles(path: StorePath, store: Store): Promise<Files> {
  let kind: Files['kind'] = 'directory';
  const programs: string[] = [];
  for (const entry of await scanTree(store.treeSource(path))) {
    if (entry.path === '') kind = entry.kind === 'file' && isProgram(entry) ? 'program' : entry.kind;
    const [, program] = /^bin\/([^./][^/]*)$/.exec(entry.path) ?? [];
    if (program !== undefined && isProgram(entry)) programs.push(displayPath(program));
  }
  return { kind, programs };
}

function isProgram(entry: TreeEntry): boolean {
  return entry.kind === 'symlink' || (entry.kind === 'file' && (entry.mode & 0o111) !== 0);
}

/** The only program, or the one that is called as the package. */
function commandOf(path: StorePath, { kind, programs }: Files): string | undefined {
  if (kind === 'program') return path;
  const { name } = splitName(path);
  const program = programs.length === 1 ? programs[0] : programs.find((each) => each === name);
  return program === undefined ? undefined : `/bin/${program}`;
}

function valid(parse: (text: string) => string, text: string): string | undefined {
  try {
    return parse(text);
  } catch {
    return undefined;
  }
}

interface Rendered {
  readonly schema: string | undefined;
  readonly name: string;
  readonly tag: string | undefined;
  readonly contents: readonly string[];
  readonly command: string | undefined;
  readonly programs: readonly string[];
  readonly place: string | undefined;
}

const MAX_PROGRAMS = 12;

function render({ schema, name, tag, contents, command, programs, place }: Rendered): string {
  return `{
  // An image for phyllo. Lines that begin with // are comments; docs/image-json.md has every field.
  // Editors complete and check the fields with this schema.
  ${field('$schema', schema, 'node_modules/phyllo/schema/image.schema.json')}

  // Perhaps with a registry: ghcr.io/me/${name}. Without a tag it is a hash of what is in the image.
  ${field('name', name)}
  ${field('tag', tag, '1.0')}

  // Store paths whose files appear at /, as links. Everything that they refer to is in the image, too.
  ${field('contents', contents)}

  // What a container does, with Docker's names. Store paths that are mentioned here are in the image.
  "config": {${describePrograms(command, programs)}
    ${field('Cmd', command && [command], ['/bin/…'])}
    "Env": ["PATH=/bin"],
    // "WorkingDir": "/",
    // "User": "1000:1000",
    // "ExposedPorts": { "8080/tcp": {} },
  },

  // Helpers: /tmp, /etc/passwd with root and nobody, /bin/sh, certificates.
  // "include": ["tmp", "nss"],

  // An image to build on.
  // "fromImage": "docker://debian:12-slim",

  // Where store paths are read: auto (this machine's store), another root directory, binary caches.
  ${field('store', place, 'auto')}

  // Layers that the image may have in all.
  // "maxLayers": 100,
}
`;
}

/** Commented out, with an example, where there is no value. */
function field(name: string, value: unknown, example?: unknown): string {
  const isGiven = value !== undefined;
  return `${isGiven ? '' : '// '}${JSON.stringify(name)}: ${inline(isGiven ? value : example)},`;
}

function inline(value: unknown): string {
  return Array.isArray(value)
    ? `[${value.map((item) => JSON.stringify(item)).join(', ')}]`
    : JSON.stringify(value);
}

function describePrograms(command: string | undefined, programs: readonly string[]): string {
  if (command !== undefined || programs.length === 0) return '';
  const more = programs.length > MAX_PROGRAMS ? ', …' : '';
  return `\n    // Which one? There are ${programs.slice(0, MAX_PROGRAMS).join(', ')}${more}.`;
}
