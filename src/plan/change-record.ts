/**
 * Which names changed by themselves in which of the last releases: what an image tells the plan of the next one.
 *
 * Definitions
 *   step        from one image to the next one whose closure is another
 *   changed     by itself: a path that the previous image lacks, and either its name and version are new or all of its references
 *               are old; content-addressed: any new path. What changed only because something below it did is not recorded.
 *   mask        a whole number below 2^52: bit a for the step a steps before the last
 *
 * The record is plain JSON, kept small: `{"steps": 12, "changed": {"openssl": "2b", …}}`, masks in base 36, names in order, and none that
 * did not change in the last 52 steps. Cost: linear. Deterministic: a function of both closures and the record before.
 */
import { describePath } from './describe-plan.ts';
import { type ReferenceGraph, row } from './reference-graph.ts';
import { sourceOf } from './steady-names.ts';
import { sortTexts } from './text-order.ts';

export interface ChangeRecord {
  /** That masks cover: 0 to 52. */
  readonly steps: number;
  /** By name without version: its mask in base 36. */
  readonly changed: Readonly<Record<string, string>>;
}

/** A mask in two halves, for operators of 32 bits. */
export interface StepMask {
  /** The last 26 steps. */
  readonly low: number;
  /** The 26 before. */
  readonly high: number;
}

export const EMPTY_RECORD: ChangeRecord = { steps: 0, changed: {} };

const MAX_STEPS = 52;
const HALF = 2 ** 26;
/** Leaves room for one more step below 2^52. */
const NEWEST = 2 ** (MAX_STEPS - 1);

/** The record one step later. @param previousPaths of the previous image */
export function nextRecord(
  graph: ReferenceGraph,
  previousPaths: ReadonlySet<string>,
  record: ChangeRecord,
): ChangeRecord {
  const masks = new Map(
    Object.entries(record.changed).map(([name, mask]) => [name, (parseMask(mask) % NEWEST) * 2]),
  );
  for (const name of changedNames(graph, previousPaths)) masks.set(name, (masks.get(name) ?? 0) + 1);
  const names = sortTexts(masks.keys()).filter((name) => masks.get(name)! > 0);
  return {
    steps: Math.min(record.steps + 1, MAX_STEPS),
    changed: Object.fromEntries(names.map((name) => [name, masks.get(name)!.toString(36)])),
  };
}

export function recordedMasks({ changed }: ChangeRecord): ReadonlyMap<string, StepMask> {
  return new Map(
    Object.entries(changed).map(([name, text]) => {
      const mask = parseMask(text);
      return [name, { low: mask % HALF, high: Math.floor(mask / HALF) }];
    }),
  );
}

/** A record from an image is input: what is no mask counts as no change. */
function parseMask(text: string): number {
  const mask = Number.parseInt(text, 36);
  return Number.isSafeInteger(mask) && mask >= 0 && mask < 2 * NEWEST ? mask : 0;
}

function changedNames(graph: ReferenceGraph, previousPaths: ReadonlySet<string>): ReadonlySet<string> {
  const previousNames = new Set(Array.from(previousPaths, describePath));
  const changed = new Set<string>();
  for (const [id, { path, ca }] of graph.infos.entries()) {
    if (previousPaths.has(path)) continue;
    const isOld = (reference: number): boolean => previousPaths.has(graph.infos[reference]!.path);
    const isByItself = !previousNames.has(describePath(path)) || row(graph.references, id).every(isOld);
    if (ca !== undefined || isByItself) changed.add(sourceOf(path));
  }
  return changed;
}
