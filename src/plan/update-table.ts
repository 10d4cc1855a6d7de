/** What an update costs, for a terminal. Pure text; no line is longer than the columns. */
import { describeSize } from './describe-size.ts';
import { type Cause, describeCause, type UpdateCauses } from './update-causes.ts';
import type { LayerChange, UpdateCost } from './update-cost.ts';

export interface UpdateTableOptions {
  /** Default 80, at least 60. */
  readonly columns?: number;
  /** Whether there is a line for each layer; default true. */
  readonly showLayers?: boolean;
}

const MIN_COLUMNS = 60;
/** Of causes: more are counted, not shown. */
const MAX_CAUSES = 20;

/** Lines, each ended by a newline. */
export function renderUpdateCost(cost: UpdateCost, options: UpdateTableOptions = {}): string {
  const columns = Math.max(options.columns ?? 80, MIN_COLUMNS);
  const layers = options.showLayers === false ? [] : [LAYERS_HEAD, ...cost.layers.map(layerLine), ''];
  const lines = [...layers, ...summary(cost), ...(cost.why === undefined ? [] : why(cost.why))];
  return lines.map((line) => `${shorten(line, columns)}\n`).join('');
}

const LAYERS_HEAD = [
  '#'.padStart(4),
  'SIZE'.padStart(10),
  'STATE'.padEnd(7),
  'PATHS'.padStart(6),
  'NEW'.padStart(5),
  'WHAT',
].join('  ');

function layerLine({ state, kind, place, previousPlace, size, paths, newPaths, label }: LayerChange): string {
  const isMoved = state === 'kept' && place !== previousPlace;
  return [
    String(place ?? '-').padStart(4),
    describeSize(size).padStart(10),
    state.padEnd(7),
    String(kind === 'store' ? paths : '-').padStart(6),
    String(kind === 'store' ? newPaths : '-').padStart(5),
    isMoved ? `${label} (was layer ${previousPlace})` : label,
  ].join('  ');
}

function summary(cost: UpdateCost): string[] {
  const counts = (['kept', 'changed', 'new', 'gone', 'unknown'] as const).flatMap((state) => {
    const count = cost.layers.filter((layer) => layer.state === state).length;
    return count === 0 ? [] : [`${count} ${state}`];
  });
  const present = cost.layers.filter(({ place }) => place !== undefined).length;
  const from = cost.firstChangedLayer;
  return [
    row('layers', counts.join(', ')),
    row(
      'pull',
      `${describeSize(cost.pull)} of ${describeSize(cost.size)}, ${cost.pulledLayers} of ${counted(present, 'layer')}`,
    ),
    row(
      'lower bound',
      cost.bound === undefined ? 'not known' : `${describeSize(cost.bound)}, the new store paths alone`,
    ),
    row(
      'unpack again',
      from === undefined ? 'nothing' : `${describeSize(cost.unpack)}, from layer ${from} upward`,
    ),
  ];
}

function row(name: string, value: string): string {
  return `${name.padEnd(14)}${value}`;
}

function why(causes: UpdateCauses): string[] {
  const { byThemselves, rebuilt, toldBy } = causes;
  if (byThemselves.length + rebuilt.length === 0) return [];
  const told =
    toldBy === 'references'
      ? `${rebuilt.length} because of what is below them`
      : `${rebuilt.length} rebuilt with the same name and version`;
  const lines = causes.causes
    .slice(0, MAX_CAUSES)
    .map((cause) => `  ${describeCause(cause)}${describeReach(cause)}`);
  const more = causes.causes.length - lines.length;
  return [
    row('new paths', `${byThemselves.length} by themselves, ${told}`),
    ...lines,
    ...(more > 0 ? [`  and ${more} more`] : []),
  ];
}

function describeReach({ resent, layers }: Cause): string {
  if (resent === undefined || layers === undefined) return '';
  return ` re-sends ${counted(resent, 'path')} in ${counted(layers, 'layer')}`;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function shorten(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`;
}
