/**
 * The JSON in which Nix exports path info, its several forms brought into one.
 *
 * | form | written by |
 * |---|---|
 * | `[{"path": …, "narHash": …}, …]` | `exportReferencesGraph` with structured attributes; `nix path-info --json` up to 2.18 |
 * | `{"exportReferencesGraph": {"NAME": …}, "NAME": [ … ], …}` | the same, a derivation's whole `.attrs.json` |
 * | `{"/nix/store/…": { … } or null, …}` | `nix path-info --json` from 2.19 |
 * | `{"version": …, "storeDir": …, "info": {"HASH-NAME": { … }, …}}` | newer ones, with the store directory apart |
 *
 * @see Nix manual, "Store object info (JSON format)"; "Advanced attributes", `exportReferencesGraph`
 */
import * as z from 'zod';
import { PhylloError } from '../errors.ts';
import { listed } from './listed.ts';

/** One path's info as it is written. */
export interface RawPathInfo {
  /** Where it is: `closure[3]`, `["/nix/store/…"]`. */
  readonly place: string;
  /** A store path, or its base name where the store directory is apart; so are the references. */
  readonly path: string;
  readonly narHash: string;
  readonly narSize: number;
  readonly references: readonly string[];
  readonly ca: string | undefined;
}

export interface RawGraph {
  /** Defined where the store directory is apart. */
  readonly storeDir: string | undefined;
  readonly infos: readonly RawPathInfo[];
}

export interface ReadGraphOptions {
  /** How errors call the graph: its file. */
  readonly file: string;
  /** The one graph of an `.attrs.json` to take instead of all. */
  readonly graphName: string | undefined;
}

interface Item {
  readonly place: string;
  readonly value: unknown;
}

const MAX_PROBLEMS = 10;

const anyObject = z.record(z.string(), z.unknown());
const apart = z.object({ storeDir: z.string(), info: anyObject });
const hashObject = z.object({ algorithm: z.literal('sha256'), hash: z.string() });
const pathInfo = z.object({
  path: z.string(),
  narHash: z.union([z.string(), hashObject.transform(({ hash }) => hash)], 'expected a sha256 hash'),
  narSize: z.int().positive(),
  references: z.array(z.string()),
  // The newest form writes an object instead, for which there is no use here.
  ca: z
    .unknown()
    .optional()
    .transform((ca) => (typeof ca === 'string' && ca !== '' ? ca : undefined)),
});

/** @throws PhylloError GRAPH_INVALID, which names every problem and its place */
export function readGraph(json: unknown, options: ReadGraphOptions): RawGraph {
  const { storeDir, info } = apart.safeParse(json).data ?? { storeDir: undefined, info: json };
  const problems: string[] = [];
  const items = findItems(info, options).filter(({ value }) => !isMarkedInvalid(value));
  const infos = items.flatMap((item) => readItem(item, problems));
  if (problems.length > 0) throw graphInvalid(options.file, problems);
  return { storeDir, infos };
}

/** The error that says all of `problems`, up to a few. */
export function graphInvalid(file: string, problems: readonly string[]): PhylloError {
  const text = listed(problems, { most: MAX_PROBLEMS, separator: '; ' });
  return new PhylloError('GRAPH_INVALID', `not an exported graph: ${file}: ${text}`, {
    hint: 'export it with nix path-info --json -r PATH, or with exportReferencesGraph and __structuredAttrs',
  });
}

function findItems(json: unknown, options: ReadGraphOptions): readonly Item[] {
  const object = anyObject.safeParse(json).data;
  const graphs = anyObject.safeParse(object?.['exportReferencesGraph']).data;
  if (object !== undefined && graphs !== undefined) return namedItems(object, Object.keys(graphs), options);
  if (options.graphName !== undefined)
    throw graphInvalid(options.file, [`it has no named graphs, so there is no ${options.graphName}`]);
  if (Array.isArray(json)) return listItems('', json);
  if (object === undefined) throw graphInvalid(options.file, ['expected an array or an object']);
  return Object.entries(object).map(([path, value]) => keyedItem(path, value));
}

function namedItems(
  attributes: Readonly<Record<string, unknown>>,
  names: readonly string[],
  { file, graphName }: ReadGraphOptions,
): readonly Item[] {
  if (graphName !== undefined && !names.includes(graphName))
    throw graphInvalid(file, [`there is no graph ${graphName}; it has ${listed(names)}`]);
  const chosen = graphName === undefined ? names : [graphName];
  const broken = chosen.filter((name) => !Array.isArray(attributes[name]));
  if (broken.length > 0)
    throw graphInvalid(
      file,
      broken.map((name) => `${name}: expected an array`),
    );
  return chosen.flatMap((name) => listItems(name, attributes[name] as readonly unknown[]));
}

function listItems(place: string, values: readonly unknown[]): readonly Item[] {
  return values.map((value, index) => ({ place: `${place}[${index}]`, value }));
}

/** The object form has the path as the key. */
function keyedItem(path: string, value: unknown): Item {
  const info = anyObject.safeParse(value).data;
  return { place: `[${JSON.stringify(path)}]`, value: info === undefined ? value : { ...info, path } };
}

/** Nix lists a path that it was asked for and does not have as null, or with `"valid": false`. */
function isMarkedInvalid(value: unknown): boolean {
  return value === null || anyObject.safeParse(value).data?.['valid'] === false;
}

function readItem({ place, value }: Item, problems: string[]): readonly RawPathInfo[] {
  const result = pathInfo.safeParse(value);
  if (result.success) return [{ place, ...result.data }];
  for (const issue of result.error.issues)
    problems.push(`${place}${placeWithin(issue.path)}: ${issue.message}`);
  return [];
}

function placeWithin(path: readonly PropertyKey[]): string {
  return path.map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`)).join('');
}
