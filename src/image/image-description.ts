/**
 * IMAGE.json: an image described with dockerTools' argument names. Command line flags have the same names and meanings, so
 * both are read by one schema.
 */
import { closest, distance } from 'fastest-levenshtein';
import { z } from 'zod';
import { PhylloError } from '../errors.ts';
import { aboutSchema } from './about.ts';
import { INHERITABLE_FIELDS } from './base-image.ts';
import { encodeCapabilities } from './capabilities.ts';
import { parseDate } from './date.ts';
import { isJsonObject, type JsonObject } from './json.ts';

const MAX_ID = 2 ** 32 - 2;
const id = z.int().min(0).max(MAX_ID);
const ownerName = z.string().refine((name) => !name.includes('\0'), 'must not contain NUL');
const date = z
  .string()
  .refine(
    (text) => text === 'now' || parseDate(text) !== undefined,
    'must be "now" or a date, such as 1970-01-01T00:00:01Z, 1970-01-01, 19700101 or @1',
  );

const commands = z.string().refine((text) => !text.includes('\0'), 'must not contain NUL');

/** @see xattr(7), "Extended attribute namespaces"; acls and labels depend on the host */
const xattrName = z
  .string()
  .regex(
    /^(user|trusted)\.[^=\0\n]+$/,
    'must begin with user. or trusted. (capabilities have a field of their own)',
  );

const permission = z
  .strictObject({
    path: z.string().describe('The store path that it is about; every path when absent.'),
    regex: z
      .string()
      .refine(isRegularExpression, 'is no regular expression')
      .describe('Which of its files: matched anywhere in the absolute path in the image.'),
    mode: z
      .string()
      .regex(/^[0-7]{3,4}$/, 'must be octal digits, such as 0755')
      .describe('The mode, in octal digits.'),
    uid: id.describe('The owner.'),
    gid: id.describe('The group.'),
    uname: ownerName.describe("The owner's name, in store layers."),
    gname: ownerName.describe("The group's name, in store layers."),
    capabilities: z
      .string()
      .refine((text) => encodeCapabilities(text) !== undefined, 'must look like cap_net_bind_service=ep')
      .describe('File capabilities, as setcap takes them.'),
    xattrs: z.record(xattrName, z.string()).describe('Extended attributes: names and texts.'),
  })
  .partial();

function isRegularExpression(text: string): boolean {
  try {
    return new RegExp(text) instanceof RegExp;
  } catch {
    return false;
  }
}

const explicitLayer = z.union(
  [
    z.array(z.string()),
    z.strictObject({
      paths: z.array(z.string()).describe('Store paths.'),
      closure: z
        .boolean()
        .optional()
        .describe('Whether their closures are in the layer, too: true by default.'),
    }),
  ],
  { error: 'must be a list of store paths or {"paths": [...], "closure": false}' },
);

/** Of one image, for one platform. */
const oneImage = z
  .strictObject({
    $schema: z.string().describe('Where this schema is, for editors.'),
    name: z
      .string()
      .describe('Name of the image, perhaps with a registry and namespace; put into lower case.'),
    tag: z.string().nullable().describe('Tag of the image; null or absent: a hash of the description.'),
    contents: z
      .union([z.string(), z.array(z.string())], { error: 'must be a store path or a list of store paths' })
      .describe('Store paths whose files appear as symlinks at /; other directories are copied there.'),
    copyToRoot: z
      .union([z.string(), z.array(z.string())], { error: 'must be a store path or a list of store paths' })
      .describe('Store paths whose files are copied to /.'),
    extraCommands: commands.describe(
      'bash commands that run in the customisation layer before it is packed.',
    ),
    fakeRootCommands: commands.describe(
      'The same under fakeroot, after extraCommands: they can change owners.',
    ),
    enableFakechroot: z.boolean().describe('fakeRootCommands see the image as /.'),
    customisationLayer: z
      .string()
      .min(1)
      .describe(
        'Tar that is the customisation layer as it stands, made by `phyllo customise`; no command runs.',
      ),
    includeStorePaths: z
      .boolean()
      .describe('false: the image has the customisation layer alone, and the store comes from the host.'),
    include: z
      .array(z.string(), { error: 'must be a list of helpers' })
      .describe('Named helpers: tmp, nss, bin-sh=PATH, usr-bin-env=PATH, ca-certificates=PATH.'),
    includeNixDB: z.boolean().describe("Nix's database in the image knows the contents' closure."),
    about: aboutSchema.describe(
      'What the image is, as labels and annotations named org.opencontainers.image.…',
    ),
    labels: z.record(z.string(), z.string()).describe("Labels of the image's config."),
    annotations: z.record(z.string(), z.string()).describe("Annotations of the image's manifest."),
    perms: z
      .array(permission, { error: 'must be a list of permissions' })
      .describe('Modes, owners, capabilities and extended attributes of some files.'),
    config: z
      .custom<JsonObject>(isJsonObject, 'must be an object')
      .describe("The container's configuration with Docker's and OCI's names: Cmd, Env, ExposedPorts, …"),
    maxLayers: z.int().min(2).describe('Layers that the image may have in all.'),
    created: date.describe("The image's creation date."),
    mtime: date.describe('Modification time of everything in store layers.'),
    uid: id.describe('Owner of everything in store layers.'),
    gid: id.describe('Group of everything in store layers.'),
    uname: ownerName.describe("Owner's name in store layers."),
    gname: ownerName.describe("Group's name in store layers."),
    architecture: z.string().min(1).describe("Architecture with Go's names: amd64, arm64."),
    variant: z.string().min(1).nullable().describe('Variant of the architecture: v7, v8.'),
    os: z.string().min(1).describe('Operating system.'),
    store: z
      .string()
      .min(1)
      .describe(
        'Where store paths are read: auto, another root directory, or binary caches: file://DIR, https://CACHE.',
      ),
    graph: z.string().min(1).describe('File with an exported reference graph, instead of the database.'),
    layering: z
      .string()
      .min(1)
      .describe('How the closure is divided: steady, popularity, auto, or a file with a pipeline.'),
    layeringPipeline: z
      .union([z.array(z.unknown()), z.string().min(1)], {
        error: 'must be a list of operations or a file that holds it',
      })
      .nullable()
      .describe(
        'A pipeline of operations that divides the closure, or a file with one; instead of layering.',
      ),
    fromImage: z
      .string()
      .min(1)
      .nullable()
      .describe('Image to build on: docker-archive:FILE, oci-archive:FILE, oci:DIR or docker://NAME.'),
    previous: z
      .string()
      .min(1)
      .nullable()
      .describe('The image before, or its plan: the layering steady keeps its layers where it can.'),
    previousOptional: z
      .boolean()
      .describe('true: plan without the image before where there is none, or none of ours.'),
    inherit: z
      .array(z.enum(INHERITABLE_FIELDS))
      .describe("Fields of the base image's config that the image takes over beside Env."),
    excludePaths: z
      .array(z.string())
      .describe(
        "Store paths that take part in the division and are left out of the image, as nixpkgs' helper paths are.",
      ),
    layers: z
      .array(explicitLayer, { error: 'must be a list of layers' })
      .describe('Layers that come first: each a list of store paths, with their closures.'),
    minLayerSize: z.int().min(0).describe('Bytes: smaller layers are joined with their neighbours.'),
    compressor: z
      .enum(['none', 'gz', 'zstd'])
      .describe('Compression of a whole archive, of its layers and documents alike.'),
    debug: z.boolean().describe('Show the plan of the layers when the image is built.'),
  })
  .partial();

const imageOfIndex = oneImage
  .omit({ $schema: true, name: true, tag: true, compressor: true, debug: true })
  .extend({
    descriptorAnnotations: z
      .record(z.string(), z.string())
      .describe("Annotations of the image's entry in the index."),
  })
  .partial();

/** Every field is optional: flags may supply what the file leaves out. */
export const imageDescriptionSchema = oneImage
  .extend({
    index: z
      .array(imageOfIndex, { error: 'must be a list of descriptions' })
      .min(1)
      .describe(
        'Images for several platforms, pushed together with an index of them: what each has besides, or instead of, the other fields.',
      ),
    indexAnnotations: z.record(z.string(), z.string()).describe('Annotations of the index.'),
  })
  .partial();

/** The JSON schema of IMAGE.json, as it is published with the package. */
export function imageSchema(): object {
  const schema = z.toJSONSchema(imageDescriptionSchema, {
    unrepresentable: 'any',
    override({ zodSchema, jsonSchema }) {
      if (zodSchema._zod.def.type === 'custom') jsonSchema.type = 'object';
    },
  });
  // What editors with VS Code's JSON service go by; others ignore it.
  const comments = { allowComments: true, allowTrailingCommas: true };
  return { title: "Phyllo's description of an image", ...schema, ...comments };
}

export type ImageDescription = z.infer<typeof imageDescriptionSchema>;

/** How a field is called where it stands: a place in a file, or a flag. */
export type FieldNamer = (path: readonly PropertyKey[]) => string;

/**
 * Checks a description and reports every problem at once.
 * @throws PhylloError IMAGE_INVALID
 */
export function parseImageDescription(
  value: unknown,
  { origin, nameOf }: { readonly origin: string; readonly nameOf: FieldNamer },
): ImageDescription {
  const result = imageDescriptionSchema.safeParse(value);
  if (result.success) return result.data;
  const problems = result.error.issues.flatMap((issue) => describeIssue(issue, nameOf));
  throw new PhylloError('IMAGE_INVALID', `${origin}: ${problems.join('; ')}`, {
    hint: '`phyllo build --help` and docs/image-json.md list the fields',
  });
}

/** `config.Env[2]`. */
export const fieldInFile: FieldNamer = (path) =>
  path
    .map((part, i) => (typeof part === 'number' ? `[${part}]` : `${i === 0 ? '' : '.'}${String(part)}`))
    .join('');

const FIELDS = Object.keys(imageDescriptionSchema.shape);
/** A name that differs more is not what was meant. */
const MAX_DISTANCE = 3;

function describeIssue(issue: z.core.$ZodIssue, nameOf: FieldNamer): string[] {
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownField(key));
  const place = nameOf(issue.path);
  return [`${place === '' ? 'the description' : place} ${wording(issue)}`];
}

function unknownField(key: string): string {
  const nearest = closest(key, FIELDS);
  const isNear = distance(key.toLowerCase(), nearest.toLowerCase()) <= MAX_DISTANCE;
  return `unknown field ${JSON.stringify(key)}${isNear ? `, did you mean ${JSON.stringify(nearest)}?` : ''}`;
}

function wording(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${/^[aeio]/.test(issue.expected) ? 'an' : 'a'} ${issue.expected === 'int' ? 'whole number' : issue.expected}`;
    case 'too_small':
      return issue.origin === 'string' ? 'must not be empty' : `must be at least ${issue.minimum}`;
    case 'too_big':
      return `must be at most ${issue.maximum}`;
    case 'invalid_value':
      return `must be one of ${issue.values.map((value) => JSON.stringify(value)).join(', ')}`;
    default:
      return issue.message;
  }
}
