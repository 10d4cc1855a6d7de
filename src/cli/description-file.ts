/** Reads IMAGE.json and the files that a description names. */
import { readFileSync } from 'node:fs';
import { dirname, isAbsolute, resolve } from 'node:path';
import stripJsonComments from 'strip-json-comments';
import {
  fieldInFile,
  isDaemonImage,
  isRegistryImage,
  type ImageDescription,
  type JsonValue,
  type OrderedJson,
  parseImageDescription,
  parseJson,
  parseOrderedJson,
  PhylloError,
  reasonOf,
} from '../index.ts';

/** A name rather than a file: whether it is known is checked with the rest. */
const LAYERING_NAME = /^[\w-]+$/;

export interface DescriptionFile {
  readonly description: ImageDescription;
  /** The `config` with its keys in the file's order. */
  readonly configOrder: OrderedJson | undefined;
}

/**
 * Places in the file are relative to it.
 * @throws PhylloError IMAGE_INVALID, FILE_UNREADABLE
 */
export function readDescription(file: string): DescriptionFile {
  const text = readTextFile(file);
  const description = parseImageDescription(readJson(text, file), { origin: file, nameOf: fieldInFile });
  const fields = readOrder(text);
  const isObject = typeof fields === 'object' && fields?.kind === 'object';
  return {
    description: resolveFiles(description, dirname(resolve(file))),
    configOrder: isObject ? fields.fields.get('config') : undefined,
  };
}

/** JSON as people write it: with comments and commas before a closing bracket. Both become blanks, so that places stay. */
export function withoutComments(text: string): string {
  return stripJsonComments(text, { trailingCommas: true });
}

/** Undefined where the text is not JSON, or nested deeper than anybody needs. */
export function readOrder(text: string): OrderedJson | undefined {
  try {
    return parseOrderedJson(withoutComments(text));
  } catch {
    return undefined;
  }
}

/**
 * The description with places made absolute and a pipeline's file replaced by what is in it.
 * @throws PhylloError IMAGE_INVALID, FILE_UNREADABLE
 */
export function resolveFiles(description: ImageDescription, directory: string): ImageDescription {
  const { store, graph, contents, fromImage, previous, layering, layeringPipeline, ...others } = description;
  const { customisationLayer, index, ...rest } = others;
  const file = layering === undefined || LAYERING_NAME.test(layering) ? undefined : layering;
  const pipeline = file ?? layeringPipeline;
  return {
    ...rest,
    ...(store === undefined ? {} : { store: resolveStore(store, directory) }),
    ...(contents === undefined ? {} : { contents: resolveContents(contents, directory) }),
    ...(fromImage === undefined ? {} : { fromImage: resolveImage(fromImage, directory) }),
    ...(previous === undefined ? {} : { previous: resolveImage(previous, directory) }),
    ...(customisationLayer === undefined
      ? {}
      : { customisationLayer: resolve(directory, customisationLayer) }),
    ...(graph === undefined ? {} : { graph: resolve(directory, graph) }),
    ...(index === undefined ? {} : { index: index.map((image) => resolveFiles(image, directory)) }),
    ...(layering === undefined || file !== undefined ? {} : { layering }),
    ...(pipeline === undefined ? {} : { layeringPipeline: readPipeline(pipeline, directory) }),
  };
}

/** @throws PhylloError IMAGE_INVALID, FILE_UNREADABLE */
export function readJsonFile(file: string): JsonValue {
  return readJson(readTextFile(file), file);
}

function readJson(text: string, file: string): JsonValue {
  const json = withoutComments(text);
  try {
    return parseJson(json);
  } catch (cause) {
    throw new PhylloError(
      'IMAGE_INVALID',
      `${file} is ${mistakeIn(json) ?? `not JSON: ${reasonOf(cause)}`}`,
      {
        cause,
      },
    );
  }
}

/** With line and column, which `JSON.parse` does not always tell. */
function mistakeIn(json: string): string | undefined {
  try {
    parseOrderedJson(json);
    return undefined;
  } catch (error) {
    return reasonOf(error);
  }
}

function resolveImage(image: string | null, directory: string): string | null {
  if (image === null || isRegistryImage(image) || isDaemonImage(image)) return image;
  const [, transport = '', rest] = /^((?:docker-archive|oci-archive|oci):)(.*)$/s.exec(image) ?? [];
  return `${transport}${resolve(directory, rest ?? image)}`;
}

type Pipeline = ImageDescription['layeringPipeline'];

function readPipeline(
  pipeline: NonNullable<Pipeline> | null,
  directory: string,
): NonNullable<Pipeline> | null {
  // The pipeline's own check says what is wrong with a file that holds something else.
  return typeof pipeline === 'string' ? (readJsonFile(resolve(directory, pipeline)) as unknown[]) : pipeline;
}

/** A directory that is given by a relative place. */
function resolveContents(contents: string | readonly string[], directory: string): string[] {
  const list = typeof contents === 'string' ? [contents] : contents;
  return list.map((path) => (/^\.\.?(\/|$)/.test(path) ? resolve(directory, path) : path));
}

export function resolveStore(store: string, directory: string): string {
  const [, path] = /^file:\/\/(.*)$/s.exec(store) ?? [];
  if (path !== undefined) return isAbsolute(path) ? store : `file://${resolve(directory, path)}`;
  return store === 'auto' || /^[a-z0-9]+:\/\//.test(store) ? store : resolve(directory, store);
}

/** @throws PhylloError FILE_UNREADABLE */
export function readTextFile(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new PhylloError('FILE_UNREADABLE', `cannot read ${file}: ${reasonOf(cause)}`, { cause });
  }
}
