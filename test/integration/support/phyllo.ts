/** The command as users run it: bin/phyllo.cjs in a process of its own. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run, runChecked, start } from './process.ts';
import type { Outcome, RunOptions } from './process.ts';

export const REPOSITORY = join(import.meta.dirname, '../../..');
export const HELLO = join(REPOSITORY, 'examples/hello');

const PROGRAM = join(REPOSITORY, 'bin/phyllo.cjs');

// Tests neither use nor change what the user's own builds have left.
const cacheHome = mkdtempSync(join(tmpdir(), 'phyllo-cache-'));
process.env['XDG_CACHE_HOME'] = cacheHome;
process.on('exit', () => rmSync(cacheHome, { recursive: true, force: true }));

/** The command line of phyllo with these arguments, for those who start it themselves. */
export function phylloCommand(args: readonly string[]): readonly [string, ...string[]] {
  return [process.execPath, PROGRAM, ...args];
}

/** Runs phyllo to its end, whatever that is. */
export function phyllo(args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const [program, ...rest] = phylloCommand(args);
  return run(program, rest, options);
}

/** Runs phyllo, which must succeed; its standard output. */
export function phylloChecked(args: readonly string[], options: RunOptions = {}): Promise<string> {
  const [program, ...rest] = phylloCommand(args);
  return runChecked(program, rest, options);
}

/** Starts phyllo with its standard output and error in pipes; the caller waits for it or kills it. */
export function startPhyllo(args: readonly string[]): ReturnType<typeof start> {
  const [program, ...rest] = phylloCommand(args);
  return start(program, rest, { stdio: ['ignore', 'pipe', 'pipe'] });
}

export interface Plan {
  readonly layers: readonly {
    readonly paths: readonly string[];
    readonly narSize: number;
    readonly kind: 'store' | 'customisation' | 'base';
  }[];
}

/** What `phyllo plan --json` prints. */
export async function phylloPlan(args: readonly string[]): Promise<Plan> {
  return JSON.parse(await phylloChecked(['plan', '--json', ...args])) as Plan;
}

/** The store paths of all layers of a plan, ascending. */
export function plannedPaths(plan: Plan): readonly string[] {
  return plan.layers.flatMap((layer) => layer.paths).sort();
}
