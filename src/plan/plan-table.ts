/** A plan as a table for a terminal: a line for each layer and, if wanted, for each of its paths. */
import type { PathInfo } from '../store/store.ts';
import { describeSize } from './describe-size.ts';
import type { LayerPlan } from './layer-plan.ts';
import { type ExtraLayer, type PlanRow, planRows } from './plan-rows.ts';

export interface PlanTableOptions {
  /** No line is longer; default 80, at least 60. */
  readonly columns?: number;
  /** Whether to use ANSI colours. */
  readonly colour?: boolean;
  /** Whether each layer is followed by its store paths. */
  readonly showPaths?: boolean;
  readonly extraLayers?: readonly ExtraLayer[];
}

const MIN_COLUMNS = 60;
const GAP = '  ';
const WIDTHS = { place: 4, size: 10, share: 6, bar: 10, paths: 6 } as const;
/** Of the cells before the last, with the gaps. */
const WHY_COLUMN = Object.values(WIDTHS).reduce((sum, width) => sum + width + GAP.length, 0);
const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'] as const;
const BOLD = '\u001B[1m';
const DIM = '\u001B[2m';
const CYAN = '\u001B[36m';
const RESET = '\u001B[0m';

type Paint = (text: string, style: string) => string;

/** Lines, each ended by a newline; the largest layer has a full bar. */
export function renderPlanTable(layers: readonly LayerPlan[], options: PlanTableOptions = {}): string {
  const columns = Math.max(options.columns ?? 80, MIN_COLUMNS);
  const paint: Paint = (text, style) => (options.colour === true ? `${style}${text}${RESET}` : text);
  const rows = planRows(layers, options.extraLayers ?? []);
  const largest = rows.reduce((max, { size }) => Math.max(max, size), 0);
  const lines = rows.flatMap((row, index) => [
    layerLine(row, { place: index + 1, largest, columns, paint }),
    ...(options.showPaths === true ? row.paths.map((info) => pathLine(info, columns, paint)) : []),
  ]);
  return [paint(headLine(), BOLD), ...lines, totalLine(rows)].map((line) => `${line}\n`).join('');
}

function headLine(): string {
  const { place, size, share, bar, paths } = WIDTHS;
  const cells = ['#'.padStart(place), 'SIZE'.padStart(size), 'SHARE'.padStart(share), ' '.repeat(bar)];
  return [...cells, 'PATHS'.padStart(paths), 'WHY'].join(GAP);
}

function layerLine(
  row: PlanRow,
  context: {
    readonly place: number;
    readonly largest: number;
    readonly columns: number;
    readonly paint: Paint;
  },
): string {
  const { place, largest, columns, paint } = context;
  return [
    String(place).padStart(WIDTHS.place),
    describeSize(row.size).padStart(WIDTHS.size),
    describeShare(row.share).padStart(WIDTHS.share),
    paint(bar(largest === 0 ? 0 : row.size / largest).padEnd(WIDTHS.bar), CYAN),
    String(row.paths.length).padStart(WIDTHS.paths),
    shorten(row.kind === 'store' ? row.why : `${row.kind}: ${row.why}`, columns - WHY_COLUMN),
  ].join(GAP);
}

/** The store directory is left out: it is the same for all, and the name matters more. */
function pathLine({ path, narSize }: PathInfo, columns: number, paint: Paint): string {
  const indent = ' '.repeat(WIDTHS.place + GAP.length);
  const start = `${indent}${describeSize(narSize).padStart(WIDTHS.size)}${GAP}`;
  return paint(start + shorten(path.slice(path.lastIndexOf('/') + 1), columns - start.length), DIM);
}

function totalLine(rows: readonly PlanRow[]): string {
  const size = rows.reduce((sum, row) => sum + row.size, 0);
  const paths = rows.reduce((sum, row) => sum + row.paths.length, 0);
  const layers = `${rows.length} ${rows.length === 1 ? 'layer' : 'layers'}`;
  return `${layers}, ${paths} ${paths === 1 ? 'store path' : 'store paths'}, ${describeSize(size)}`;
}

function describeShare(share: number): string {
  return `${(100 * share).toFixed(1)}%`;
}

/** `share` of the bar's width in eighths of a character, rounded up: what is there is seen. */
function bar(share: number): string {
  const eighths = Math.ceil(share * WIDTHS.bar * EIGHTHS.length);
  return '█'.repeat(Math.floor(eighths / EIGHTHS.length)) + EIGHTHS[eighths % EIGHTHS.length]!;
}

function shorten(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`;
}
