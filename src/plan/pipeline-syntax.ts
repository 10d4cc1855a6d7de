/**
 * A layering pipeline as written: a JSON list of `[operation, …arguments]`, checked before anything runs.
 *
 * Every operation keeps its position in words, such as `pipeline[2].over.limit_layers`, for what is said about it later.
 *
 * @see nixpkgs manual, "dockerTools", layeringPipeline
 */
import { PhylloError } from '../errors.ts';

export type Operation = { readonly at: string } & (
  | { readonly name: 'popularity_contest' | 'flatten' | 'reverse' }
  | { readonly name: 'limit_layers' | 'split_every'; readonly count: number }
  | {
      readonly name: 'subcomponent_out' | 'subcomponent_in' | 'remove_paths';
      readonly paths: readonly string[];
    }
  | { readonly name: 'split_paths'; readonly specs: readonly SplitSpec[] }
  | { readonly name: 'over'; readonly key: string; readonly operation: Operation }
  | { readonly name: 'map'; readonly operation: Operation }
  | { readonly name: 'pipe'; readonly operations: readonly Operation[] }
);

/** These paths themselves, or all that they refer to. */
export interface SplitSpec {
  readonly kind: 'paths' | 'children';
  readonly paths: readonly string[];
}

/** Where a value stands, and where to say that it is wrong. */
interface Place {
  readonly at: string;
  readonly problems: string[];
}

type ArgumentsParser = (values: readonly unknown[], place: Place) => Operation | undefined;

const PARSERS: Readonly<Record<Operation['name'], ArgumentsParser>> = {
  popularity_contest: bare('popularity_contest'),
  flatten: bare('flatten'),
  reverse: bare('reverse'),
  limit_layers: counted('limit_layers'),
  split_every: counted('split_every'),
  subcomponent_out: withPaths('subcomponent_out'),
  subcomponent_in: withPaths('subcomponent_in'),
  remove_paths: withPaths('remove_paths'),
  split_paths: parseSplitPaths,
  over: parseOver,
  map: parseMap,
  pipe: parsePipe,
};

const COUNT = 'a whole number of 1 or more';
const PATHS = 'a store path or a list of store paths';
const SPEC = 'a store path or {"children_of": store path or list of them}';
const SPECS = `a list, each item ${SPEC}`;
const KEY = 'a key such as "main" or "rest"';
const MAX_FOUND_LENGTH = 60;

/**
 * @param pipeline any JSON value
 * @throws PhylloError PIPELINE_INVALID, with all that is wrong with it
 */
export function parsePipeline(pipeline: unknown): readonly Operation[] {
  const problems: string[] = [];
  const operations = parseOperations(pipeline, { at: 'pipeline', problems });
  if (problems.length === 0) return operations;
  throw pipelineError(problems);
}

/** @param problems at least one, each with its position */
export function pipelineError(problems: readonly string[]): PhylloError {
  const [first, ...others] = problems;
  const message =
    others.length === 0 ? `${first}` : `${problems.length} problems:\n  ${problems.join('\n  ')}`;
  return new PhylloError('PIPELINE_INVALID', `the layering pipeline is wrong: ${message}`, {
    hint: 'a pipeline is a list of operations such as ["popularity_contest"] or ["limit_layers", 100]',
  });
}

function parseOperations(value: unknown, place: Place): readonly Operation[] {
  if (!Array.isArray(value)) return report(place, value, 'a list of operations') ?? [];
  return value.flatMap((item, index) => parseOperation(item, within(place, `[${index}]`)) ?? []);
}

function parseOperation(value: unknown, place: Place): Operation | undefined {
  if (!Array.isArray(value) || value.length === 0)
    return report(place, value, 'a list [operation, …arguments]');
  const [name, ...values] = value as readonly unknown[];
  if (!isOperationName(name)) {
    return report(place, name, `the operation to be one of ${Object.keys(PARSERS).join(', ')}`);
  }
  return PARSERS[name](values, within(place, `.${name}`));
}

function isOperationName(name: unknown): name is Operation['name'] {
  return typeof name === 'string' && Object.hasOwn(PARSERS, name);
}

function bare(name: 'popularity_contest' | 'flatten' | 'reverse'): ArgumentsParser {
  return (values, place) => (hasArguments(values, [], place) ? { name, at: place.at } : undefined);
}

function counted(name: 'limit_layers' | 'split_every'): ArgumentsParser {
  return (values, place) => {
    if (!hasArguments(values, [COUNT], place)) return undefined;
    const [count] = values;
    if (typeof count === 'number' && Number.isSafeInteger(count) && count >= 1)
      return { name, at: place.at, count };
    return report(place, count, COUNT);
  };
}

function withPaths(name: 'subcomponent_out' | 'subcomponent_in' | 'remove_paths'): ArgumentsParser {
  return (values, place) => {
    if (!hasArguments(values, [PATHS], place)) return undefined;
    return { name, at: place.at, paths: parsePaths(values[0], place) };
  };
}

function parseSplitPaths(values: readonly unknown[], place: Place): Operation | undefined {
  if (!hasArguments(values, [SPECS], place)) return undefined;
  const [specs] = values;
  if (!Array.isArray(specs)) return report(place, specs, SPECS);
  const parsed = specs.flatMap((spec, index) => parseSpec(spec, within(place, `[${index}]`)) ?? []);
  return { name: 'split_paths', at: place.at, specs: parsed };
}

function parseSpec(spec: unknown, place: Place): SplitSpec | undefined {
  if (typeof spec === 'string') return { kind: 'paths', paths: [spec] };
  if (isObject(spec) && Object.keys(spec).join() === 'children_of') {
    return { kind: 'children', paths: parsePaths(spec.children_of, within(place, '.children_of')) };
  }
  return report(place, spec, SPEC);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parseOver(values: readonly unknown[], place: Place): Operation | undefined {
  if (!hasArguments(values, [KEY, 'an operation'], place)) return undefined;
  const [key, inner] = values;
  if (typeof key !== 'string') report(place, key, KEY);
  const operation = parseOperation(inner, place);
  if (operation === undefined || typeof key !== 'string') return undefined;
  return { name: 'over', at: place.at, key, operation };
}

function parseMap(values: readonly unknown[], place: Place): Operation | undefined {
  if (!hasArguments(values, ['an operation'], place)) return undefined;
  const operation = parseOperation(values[0], place);
  return operation === undefined ? undefined : { name: 'map', at: place.at, operation };
}

function parsePipe(values: readonly unknown[], place: Place): Operation | undefined {
  if (!hasArguments(values, ['a list of operations'], place)) return undefined;
  return { name: 'pipe', at: place.at, operations: parseOperations(values[0], place) };
}

function parsePaths(value: unknown, place: Place): readonly string[] {
  if (typeof value === 'string') return [value];
  if (!Array.isArray(value)) return report(place, value, PATHS) ?? [];
  return value.flatMap((path: unknown, index) =>
    typeof path === 'string' ? path : (report(within(place, `[${index}]`), path, 'a store path') ?? []),
  );
}

function hasArguments(values: readonly unknown[], wanted: readonly string[], place: Place): boolean {
  if (values.length === wanted.length) return true;
  const found = values.length === 1 ? '1 argument' : `${values.length} arguments`;
  const list = wanted.length === 0 ? 'none' : `${wanted.length}: ${wanted.join(', then ')}`;
  place.problems.push(`${place.at}: found ${found}, wanted ${list}`);
  return false;
}

function report(place: Place, found: unknown, wanted: string): undefined {
  place.problems.push(`${place.at}: found ${describeFound(found)}, wanted ${wanted}`);
}

function describeFound(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length <= MAX_FOUND_LENGTH ? text : `${text.slice(0, MAX_FOUND_LENGTH)}…`;
}

function within(place: Place, step: string): Place {
  return { at: place.at + step, problems: place.problems };
}
