/**
 * The configuration of nixpkgs' streamer (`conf` of the result of `streamLayeredImage`): an image whose layers are decided. Pure.
 *
 * @see nixpkgs, pkgs/build-support/docker/default.nix, `conf`; stream_layered_image.py
 */
import { z } from 'zod';
import { PhylloError, reasonOf } from '../errors.ts';
import { type OrderedJson, parseOrderedJson } from './ordered-json.ts';
import { parsePythonDate, type PythonDate } from './python-date.ts';

export interface DockerToolsConf {
  readonly architecture: string;
  readonly os: string;
  /** Keys in their order, numbers digit by digit. */
  readonly config: OrderedJson;
  readonly storeDir: string;
  /** A docker archive's path. */
  readonly fromImage: string | undefined;
  /** Store paths, bottom to top; all of them are below `storeDir`. */
  readonly storeLayers: readonly (readonly string[])[];
  /** The store path of a directory with `layer.tar` and `checksum`. */
  readonly customisationLayer: string;
  readonly repoTag: string;
  readonly created: PythonDate;
  readonly mtimeSeconds: number;
  readonly uid: number;
  readonly gid: number;
  readonly uname: string;
  readonly gname: string;
}

const id = z.union([z.string().regex(/^\d+$/, 'wanted a number'), z.number().int().nonnegative()]);
const schema = z.object({
  architecture: z.string(),
  os: z.string().default('linux'),
  store_dir: z.string().regex(/^\//, 'wanted an absolute path'),
  from_image: z.string().nullish(),
  store_layers: z.array(z.array(z.string())),
  customisation_layer: z.string(),
  repo_tag: z.string(),
  created: z.string(),
  mtime: z.string(),
  uid: id.default(0),
  gid: id.default(0),
  uname: z.string().default('root'),
  gname: z.string().default('root'),
});

/**
 * @param now what the date "now" means, RFC 3339
 * @throws PhylloError IMAGE_INVALID, STORE_PATH_INVALID
 */
export function parseDockerToolsConf(text: string, { now }: { readonly now: string }): DockerToolsConf {
  const fields = fieldsOf(text);
  const parsed = schema.safeParse(plain(fields));
  if (!parsed.success) throw invalid(parsed.error.issues.map(describeIssue).join('; '));
  const { store_dir, from_image, store_layers, customisation_layer, repo_tag, ...rest } = parsed.data;
  for (const path of store_layers.flat()) requireBelow(path, store_dir);
  return {
    ...rest,
    config: fields.get('config') ?? null,
    storeDir: store_dir,
    fromImage: from_image ?? undefined,
    storeLayers: store_layers,
    customisationLayer: customisation_layer,
    repoTag: repo_tag,
    created: dateOf('created', parsed.data.created === 'now' ? now : parsed.data.created),
    mtimeSeconds: dateOf('mtime', parsed.data.mtime === 'now' ? now : parsed.data.mtime).seconds,
    uid: Number(rest.uid),
    gid: Number(rest.gid),
  };
}

function fieldsOf(text: string): ReadonlyMap<string, OrderedJson> {
  try {
    const document = parseOrderedJson(text);
    if (typeof document === 'object' && document?.kind === 'object') return document.fields;
  } catch (cause) {
    throw invalid(reasonOf(cause), cause);
  }
  throw invalid('not an object');
}

/** Everything but `config`, whose order of keys must stay. */
function plain(fields: ReadonlyMap<string, OrderedJson>): Readonly<Record<string, unknown>> {
  const others = [...fields].filter(([name]) => name !== 'config');
  return Object.fromEntries(others.map(([name, value]) => [name, toPlain(value)]));
}

function toPlain(value: OrderedJson): unknown {
  if (value === null || typeof value !== 'object') return value;
  if (value.kind === 'number') return Number(value.source);
  if (value.kind === 'list') return value.items.map(toPlain);
  return Object.fromEntries([...value.fields].map(([name, field]) => [name, toPlain(field)]));
}

function requireBelow(path: string, storeDir: string): void {
  if (path.startsWith(`${storeDir}/`)) return;
  throw new PhylloError('STORE_PATH_INVALID', `store_layers: ${path} is not in the store ${storeDir}`);
}

function dateOf(field: string, text: string): PythonDate {
  try {
    return parsePythonDate(text);
  } catch (cause) {
    throw invalid(`${field} is ${reasonOf(cause)}`, cause);
  }
}

function describeIssue({ path, message }: z.core.$ZodIssue): string {
  return `${path.join('.')}: ${message}`;
}

function invalid(problem: string, cause?: unknown): PhylloError {
  return new PhylloError('IMAGE_INVALID', `the streamer's configuration is malformed: ${problem}`, { cause });
}
