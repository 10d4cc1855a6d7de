/** Flags that describe the image: one for each field of IMAGE.json, read as the field is. */
import { type Command, Option } from 'commander';
import { type ImageDescription, parseImageDescription, parseJson } from '../index.ts';
import { readJsonFile, readTextFile, withoutComments } from './description-file.ts';
import { addStoreOptions, joined, STORE_HEADING } from './store-options.ts';
import { readingArguments } from './usage-error.ts';

/** The values of the flags below, as commander gives them: text, or absent. */
export type DescriptionFlags = Readonly<
  Partial<Record<DescriptionField, string | readonly string[] | boolean>>
>;

type DescriptionField = Exclude<keyof ImageDescription, '$schema'>;

interface FlagShape {
  readonly flags: string;
  readonly help: string;
  /** Text to the field's type; identity when absent. */
  readonly read?: (text: string) => unknown;
  /** Given several times it is a list with spaces. */
  readonly isRepeatable?: true;
}

const FLAGS: Readonly<Record<DescriptionField, FlagShape>> = {
  name: { flags: '--name <name>', help: 'name of the image, perhaps with a registry' },
  tag: { flags: '--tag <tag>', help: 'tag of the image (default: a hash of the description)' },
  contents: { flags: '--contents <path...>', help: 'store paths whose files appear as symlinks at /' },
  copyToRoot: { flags: '--copy-to-root <path...>', help: 'store paths whose files are copied to /' },
  extraCommands: {
    flags: '--extra-commands <bash>',
    help: 'commands that run in the customisation layer: bash, or @FILE',
    read: readText,
  },
  fakeRootCommands: {
    flags: '--fake-root-commands <bash>',
    help: 'the same under fakeroot, afterwards: bash, or @FILE',
    read: readText,
  },
  enableFakechroot: { flags: '--enable-fakechroot', help: 'these commands see the image as /' },
  customisationLayer: {
    flags: '--customisation-layer <file>',
    help: 'tar that is the customisation layer as it stands; no command runs',
  },
  includeStorePaths: {
    flags: '--no-include-store-paths',
    help: 'the image has the customisation layer alone; the store comes from the host',
  },
  include: {
    flags: '--include <helper...>',
    help: 'tmp, nss, bin-sh=PATH, usr-bin-env=PATH, ca-certificates=PATH',
  },
  includeNixDB: {
    flags: '--include-nix-db',
    help: "Nix's database in the image knows the contents' closure",
  },
  about: {
    flags: '--about <json>',
    help: 'title, description, version, revision, source, licenses, … of the image: JSON, or @FILE that holds it',
    read: readJson,
  },
  labels: {
    flags: '--labels <json>',
    help: "labels of the image's config: JSON, or @FILE that holds it",
    read: readJson,
  },
  annotations: {
    flags: '--annotations <json>',
    help: "annotations of the image's manifest: JSON, or @FILE that holds it",
    read: readJson,
  },
  perms: {
    flags: '--perms <json>',
    help: 'modes and owners of some files: JSON, or @FILE that holds it',
    read: readJson,
  },
  config: {
    flags: '--config <json>',
    help: "the container's configuration: JSON, or @FILE that holds it",
    read: readJson,
  },
  maxLayers: {
    flags: '--max-layers <n>',
    help: 'layers that the image may have in all (default: 100)',
    read: readNumber,
  },
  created: {
    flags: '--created <date>',
    help: 'creation date, or now (default: $SOURCE_DATE_EPOCH, else 1970-01-01T00:00:01Z)',
  },
  mtime: { flags: '--mtime <date>', help: 'modification time in store layers, or now' },
  uid: { flags: '--uid <id>', help: 'owner of everything in store layers', read: readNumber },
  gid: { flags: '--gid <id>', help: 'group of everything in store layers', read: readNumber },
  uname: { flags: '--uname <name>', help: "owner's name in store layers" },
  gname: { flags: '--gname <name>', help: "group's name in store layers" },
  architecture: {
    flags: '--architecture <name>',
    help: "architecture with Go's names (default: this machine's)",
  },
  variant: { flags: '--variant <name>', help: 'variant of the architecture' },
  os: { flags: '--os <name>', help: 'operating system (default: linux)' },
  store: {
    flags: '--store <where>',
    help: 'auto, another root directory, or binary caches: file://DIR, https://CACHE (repeatable)',
    isRepeatable: true,
  },
  graph: { flags: '--graph <file>', help: 'exported reference graph to use instead of the database' },
  layering: {
    flags: '--layering <name|file>',
    help: 'steady, popularity, auto, or a file with a pipeline (default: steady)',
  },
  layeringPipeline: {
    flags: '--layering-pipeline <json|file>',
    help: 'pipeline of operations, instead of a layering: JSON, or a file that holds it',
    read: (text) => (text.startsWith('[') ? readJson(text) : text),
  },
  fromImage: {
    flags: '--from-image <image>',
    help: 'image to build on: docker-archive:FILE, oci-archive:FILE, oci:DIR, docker://NAME[:TAG|@DIGEST], docker-daemon:NAME[:TAG]',
  },
  previous: {
    flags: '--previous <image>',
    help: 'the image before, or its plan as JSON: steady keeps its layers where it can',
  },
  previousOptional: {
    flags: '--previous-optional',
    help: 'plan without the previous image where there is none, or none of ours',
  },
  inherit: {
    flags: '--inherit <field...>',
    help: "fields of the base image's config to take over beside Env",
  },
  excludePaths: {
    flags: '--exclude-paths <path...>',
    help: 'store paths that take part in the division and are left out of the image',
  },
  layers: {
    flags: '--layers <json>',
    help: 'layers that come first: JSON, or @FILE that holds it',
    read: readJson,
  },
  index: {
    flags: '--index <json>',
    help: 'images for several platforms, each what it has instead of the other fields: JSON, or @FILE that holds it',
    read: readJson,
  },
  indexAnnotations: {
    flags: '--index-annotations <json>',
    help: 'annotations of the index: JSON, or @FILE that holds it',
    read: readJson,
  },
  minLayerSize: { flags: '--min-layer-size <bytes>', help: 'join layers below this size', read: readNumber },
  compressor: {
    flags: '--compressor <how>',
    help: 'of a whole archive: none, gz or zstd (default: none)',
  },
  debug: { flags: '--debug', help: 'show the plan on stderr, and the stack of an error' },
};

const OF_FILES = new Set<string>([
  ...(['contents', 'copyToRoot', 'include', 'includeNixDB', 'includeStorePaths', 'excludePaths'] as const),
  ...(['extraCommands', 'fakeRootCommands', 'enableFakechroot', 'customisationLayer'] as const),
  ...(['perms', 'mtime', 'uid', 'gid', 'uname', 'gname'] as const),
] satisfies DescriptionField[]);

const OF_LAYERS = new Set<string>([
  ...(['layering', 'layeringPipeline', 'maxLayers', 'layers', 'minLayerSize'] as const),
  ...(['previous', 'previousOptional'] as const),
] satisfies DescriptionField[]);

export function addDescriptionOptions(command: Command): Command {
  for (const [field, { flags, help, isRepeatable }] of Object.entries(FLAGS)) {
    const option = new Option(flags, help).helpGroup(headingOf(field));
    // Commander would call --include-nix-db includeNixDb.
    option.attributeName = () => field;
    command.addOption(isRepeatable === true ? option.argParser(joined) : option);
  }
  return addStoreOptions(command);
}

function headingOf(field: string): string {
  if (field === 'store' || field === 'graph') return STORE_HEADING;
  if (field === 'compressor' || field === 'debug') return 'Options:';
  if (OF_FILES.has(field)) return "The image's files:";
  return OF_LAYERS.has(field) ? "The image's layers:" : 'The image:';
}

/** @throws UsageError; PhylloError FILE_UNREADABLE */
export function readFlags(flags: DescriptionFlags): ImageDescription {
  return readingArguments(() => {
    const given = Object.entries(FLAGS).filter(([field, shape]) =>
      isGiven(shape, flags[field as DescriptionField]),
    );
    const values = given.map(([field, { read }]) => [
      field,
      readFlag(flags[field as DescriptionField], read),
    ]);
    return parseImageDescription(Object.fromEntries(values), { origin: 'options', nameOf: flagOf });
  });
}

/** A flag that takes something away (`--no-…`) is true unless it is given. */
function isGiven({ flags }: FlagShape, value: DescriptionFlags[DescriptionField]): boolean {
  return value !== undefined && !(flags.startsWith('--no-') && value === true);
}

function readFlag(value: DescriptionFlags[DescriptionField], read: FlagShape['read']): unknown {
  return typeof value === 'string' && read !== undefined ? read(value) : value;
}

function flagOf([field]: readonly PropertyKey[]): string {
  return FLAGS[field as DescriptionField].flags.split(' ')[0] as string;
}

/** What is not a number stays text, so that the check names the flag. */
function readNumber(text: string): unknown {
  return /^-?\d+$/.test(text) ? Number(text) : text;
}

/** JSON, or `@FILE` that holds it. What is not JSON stays text, so that the check names the flag. */
function readJson(text: string): unknown {
  if (text.startsWith('@')) return readJsonFile(text.slice(1));
  try {
    return parseJson(withoutComments(text));
  } catch {
    return text;
  }
}

/** The text itself, or `@FILE` that holds it. */
export function readText(text: string): string {
  return text.startsWith('@') ? readTextFile(text.slice(1)) : text;
}
