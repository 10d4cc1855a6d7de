/** How flags and IMAGE.json go together: both are checked alike, and flags win. */
import { type Compressor, type ImageDescription, type ImageSettings, resolveSettings } from '../index.ts';
import { readDescription, readOrder, resolveFiles } from './description-file.ts';
import { type DescriptionFlags, readFlags, readText } from './description-flags.ts';
import { hostArchitecture, sourceDateEpoch } from './surroundings.ts';
import { usageError } from './usage-error.ts';

export interface Described extends DescribedImage {
  /** Of archives. */
  readonly compressor: Compressor;
  /** Whether the plan is shown. */
  readonly debug: boolean;
  /** Undefined: one image. */
  readonly index: DescribedIndex | undefined;
}

export interface DescribedIndex {
  readonly images: readonly DescribedPart[];
  readonly annotations: Readonly<Record<string, string>>;
}

export interface DescribedPart extends DescribedImage {
  readonly descriptorAnnotations: Readonly<Record<string, string>>;
}

export interface DescribedImage {
  readonly settings: ImageSettings;
  readonly store: string;
  readonly graph: string | undefined;
}

/** @throws PhylloError IMAGE_INVALID, FILE_UNREADABLE; UsageError */
export function describe(file: string | undefined, given: DescriptionFlags): Described {
  // A pipe (`@/dev/fd/63`) can be read once, and the text is needed twice.
  const config = typeof given.config === 'string' ? readText(given.config) : undefined;
  const flags = config === undefined ? given : { ...given, config };
  const { description: fromFile, configOrder } =
    file === undefined ? { description: {} } : readDescription(file);
  const fromFlags = resolveFiles(readFlags(flags), process.cwd());
  // A layering by name takes the place of the file's pipeline.
  if (fromFlags.layering !== undefined) fromFlags.layeringPipeline ??= null;
  const whole = { ...defaultsFromEnvironment(), ...fromFile, ...fromFlags };
  const order = config === undefined ? configOrder : readOrder(config);
  const { index, indexAnnotations = {}, compressor = 'none', debug = false, ...common } = whole;
  const described = { ...resolveOne(common, order), compressor, debug };
  if (index === undefined) return { ...described, index: undefined };
  const images = index.map(({ descriptorAnnotations = {}, ...image }) => ({
    ...resolveOne(
      // Flags win over what is said of one image, too.
      { ...common, ...image, ...fromFlags },
      image.config === undefined ? order : undefined,
    ),
    descriptorAnnotations,
  }));
  return { ...described, index: { images, annotations: indexAnnotations } };
}

/**
 * For commands that look at one image.
 * @throws as describe; UsageError for an index
 */
export function describeOne(file: string | undefined, given: DescriptionFlags): DescribedImage {
  const { index, compressor: _, debug: __, ...described } = describe(file, given);
  if (index === undefined) return described;
  throw usageError('the description is of several images', 'describe one of them in a file of its own');
}

function resolveOne(
  { store = 'auto', graph, ...rest }: ImageDescription,
  configOrder: ImageSettings['configOrder'],
): DescribedImage {
  const surroundings = { now: new Date(), architecture: hostArchitecture() };
  return { settings: { ...resolveSettings(rest, surroundings), configOrder }, store, graph };
}

function defaultsFromEnvironment(): ImageDescription {
  const created = sourceDateEpoch();
  return created === undefined ? {} : { created };
}
