/**
 * Everything that phyllo promises about its speed, in one table: whole images against a streamer in Python and against GNU tar, what a
 * build costs when digests are known, and what compression costs when they are not, against the usual compressors.
 *
 *     node bench/speed.ts --make DIR      makes a large closure out of Debian packages in DIR (once)
 *     node bench/speed.ts --paths FILE    measures on these paths of the machine's own Nix store
 *
 * `--runs N` (5) is how often each case runs; `--long-runs N` (1) how often those do that take a minute; `--only REGEXP` chooses cases by
 * their names. Adds store paths of a few bytes, and deletes them at the end. Prints Markdown on standard output. Needs python3, Nix, GNU
 * tar, gzip, pigz, zstd, a built dist/.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { FreshPaths } from './fresh-paths.ts';
import { verifySameLayers } from './same-layers.ts';
import { type Case, speedCases } from './speed-cases.ts';
import { speedTable } from './speed-table.ts';
import { machine, measure, type Measurement, print, readClosure, readRuns } from './support.ts';

await main();

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      paths: { type: 'string' },
      make: { type: 'string' },
      runs: { type: 'string', default: '5' },
      'long-runs': { type: 'string', default: '1' },
      only: { type: 'string', default: '' },
    },
  });
  const runs = { short: readRuns(values.runs), long: readRuns(values['long-runs']) };
  const closure = await readClosure(values);
  const work = mkdtempSync(join(tmpdir(), 'phyllo-bench-'));
  process.env['XDG_CACHE_HOME'] = join(work, 'cache');
  const fresh = new FreshPaths(closure, work);
  try {
    const about = machine(['python3', 'tar', 'gzip', 'pigz', 'zstd']);
    const wanted = new RegExp(values.only);
    const cases = speedCases(closure, { work, fresh }).filter(({ name }) => wanted.test(name));
    if (cases.some(({ name }) => name.startsWith('streamer'))) verifySameLayers(closure, work);
    const results = interleave(cases, runs);
    print([
      ...about,
      `- ${closure.paths.length} store paths, 100 layers unless said, warm page cache, ${runs.short} runs (${runs.long} of cases with *)`,
      '',
      ...speedTable(cases, results),
    ]);
  } finally {
    fresh.remove();
    rmSync(work, { recursive: true, force: true });
  }
}

/** Every case once, then every case once more, so that a busy minute of the machine meets all of them. */
function interleave(
  cases: readonly Case[],
  runs: { readonly short: number; readonly long: number },
): ReadonlyMap<string, readonly Measurement[]> {
  const results = new Map<string, Measurement[]>(cases.map(({ name }) => [name, []]));
  for (let round = 0; round < Math.max(runs.short, runs.long); round++) {
    for (const { name, prepare, command, isLong = false } of cases) {
      if (round >= (isLong ? runs.long : runs.short)) continue;
      prepare();
      const measurement = measure(command(), { stdout: '/dev/null' });
      results.get(name)?.push(measurement);
      process.stderr.write(`${name}: ${measurement.seconds.toFixed(2)} s\n`);
    }
  }
  return results;
}
