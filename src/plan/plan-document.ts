/** Reads a plan that `phyllo plan --json` printed: what the next image's plan needs of it. Pure. */
import { z } from 'zod';
import { PhylloError } from '../errors.ts';
import type { ChangeRecord } from './change-record.ts';

const changes = z.object({ steps: z.int().min(0).max(52), changed: z.record(z.string(), z.string()) });
const layer = z.object({
  kind: z.enum(['store', 'base', 'customisation']),
  paths: z.array(z.string()),
  narSize: z.number().min(0),
  why: z.string().default(''),
  pathSizes: z.record(z.string(), z.number().min(0)).default({}),
  diffID: z.string().optional(),
});
const plan = z.object({ layers: z.array(layer), changes: changes.optional() });

export type PlanDocument = z.infer<typeof plan>;

/** @throws PhylloError PREVIOUS_INVALID; `origin` says whose document it is */
export function parsePlanDocument(value: unknown, origin: string): PlanDocument {
  const result = plan.safeParse(value);
  if (result.success) return result.data;
  const problems = result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw new PhylloError('PREVIOUS_INVALID', `${origin} is not a plan: ${problems.slice(0, 5).join('; ')}`, {
    hint: 'name an image, or a file that `phyllo plan --json` printed',
  });
}

const CHANGES_COMMENT = 'phyllo changes: ';

/** How an image's history tells the record to the next plan: a comment of an entry without a layer. */
export function changesComment(record: ChangeRecord): string {
  return CHANGES_COMMENT + JSON.stringify(record);
}

/** Undefined for any other comment, and for a damaged record: a plan does without it. */
export function parseChangesComment(comment: string): ChangeRecord | undefined {
  if (!comment.startsWith(CHANGES_COMMENT)) return undefined;
  try {
    return changes.safeParse(JSON.parse(comment.slice(CHANGES_COMMENT.length))).data;
  } catch {
    return undefined;
  }
}
