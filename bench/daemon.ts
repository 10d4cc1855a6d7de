/**
 * What it takes to bring an image with one changed store path into Docker: `docker load` of its archive, whose making is not counted,
 * against `phyllo build --to docker-daemon:`, planning, making and sending included.
 *
 *     node bench/daemon.ts --make DIR [--runs 5]      makes a large closure out of Debian packages in DIR (once)
 *     node bench/daemon.ts --paths FILE [--runs 5]    measures on these paths of the machine's own Nix store
 *
 * Adds two store paths of a few bytes for each run, and deletes them at the end. Starts a Docker of its own with an empty store, which
 * gets the image before in the beginning. Prints Markdown. Needs root, python3, Nix, docker.io, a built dist/, and room in /tmp for three
 * images.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startDocker } from '../test/integration/support/docker.ts';
import { FreshPaths } from './fresh-paths.ts';
import {
  type Closure,
  machine,
  markdownTable,
  measure,
  type Measurement,
  mebibytes,
  median,
  PHYLLO,
  print,
  readClosure,
  readRuns,
  writeImageDescription,
} from './support.ts';

interface Delivery extends Measurement {
  /** Into the engine's socket. */
  readonly sentBytes: number;
}

const BUILD = ['--max-layers', '100', '--jobs', '2'];

await main();

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { paths: { type: 'string' }, make: { type: 'string' }, runs: { type: 'string', default: '5' } },
  });
  const runs = readRuns(values.runs);
  const closure = await readClosure(values);
  const work = mkdtempSync(join(tmpdir(), 'phyllo-bench-'));
  process.env['XDG_CACHE_HOME'] = join(work, 'cache');
  const fresh = new FreshPaths(closure, work);
  const docker = await startDocker(work);
  process.env['DOCKER_HOST'] = `unix://${docker.socket}`;
  try {
    const about = machine(['dockerd']);
    const results = compare(closure, { work, fresh, runs });
    print([
      ...about,
      `- ${closure.paths.length} store paths, 100 layers, warm page cache, ${runs} runs`,
      '',
      ...results,
    ]);
  } finally {
    await docker.stop();
    fresh.remove();
    rmSync(work, { recursive: true, force: true });
  }
}

/** They take turns, so that a busy minute of the machine meets all of them. */
function compare(
  closure: Closure,
  { work, fresh, runs }: { readonly work: string; readonly fresh: FreshPaths; readonly runs: number },
): readonly string[] {
  const image = writeImageDescription(closure, work);
  const build = (path: string, ...to: readonly string[]): readonly string[] => [
    ...[...PHYLLO, 'build', ...image, '--contents', path, ...BUILD, '--json', '--quiet'],
    ...to.flatMap((destination) => ['--to', destination]),
  ];
  const answer = join(work, 'answer.json');
  const deliver = (path: string): Delivery => {
    const measured = measure(build(path, 'docker-daemon:bench:1'), { stdout: answer });
    const { loaded } = JSON.parse(readFileSync(answer, 'utf8')) as Built;
    return { ...measured, sentBytes: loaded[0]?.bytesSent ?? 0 };
  };
  const archive = join(work, 'archive.tar');
  const load = (path: string): Delivery => {
    const [program = '', ...args] = build(path, `docker-archive:${archive}`);
    execFileSync(program, args, { stdio: ['ignore', 'ignore', 'inherit'] });
    const measured = measure(['docker', 'load', '--quiet', '--input', archive], { stdout: '/dev/null' });
    return { ...measured, sentBytes: statSync(archive).size };
  };
  const rows = new Map<string, Delivery[]>([
    ['docker load, one path changed', []],
    ['docker-daemon:, one path changed', []],
    ['docker-daemon:, nothing changed', []],
  ]);
  const note = (name: string, delivery: Delivery): void => {
    rows.get(name)?.push(delivery);
    process.stderr.write(`${name}: ${delivery.seconds.toFixed(2)} s\n`);
  };
  process.stderr.write(`first: ${deliver(fresh.add()).seconds.toFixed(2)} s\n`);
  for (let run = 0; run < runs; run++) {
    note('docker load, one path changed', load(fresh.add()));
    const path = fresh.add();
    note('docker-daemon:, one path changed', deliver(path));
    note('docker-daemon:, nothing changed', deliver(path));
  }
  return table(rows);
}

interface Built {
  readonly loaded: readonly { readonly bytesSent: number }[];
}

function table(rows: ReadonlyMap<string, readonly Delivery[]>): readonly string[] {
  const loading = median([...rows.values()][0]?.map(({ seconds }) => seconds) ?? []);
  const cells = [...rows].map(([name, deliveries]) => {
    const times = deliveries.map(({ seconds }) => seconds);
    return [
      name,
      `${median(times).toFixed(2)} s`,
      `${Math.min(...times).toFixed(2)} to ${Math.max(...times).toFixed(2)} s`,
      `${mebibytes(Math.max(...deliveries.map(({ maxRssBytes }) => maxRssBytes)))} MiB`,
      `${(median(deliveries.map(({ sentBytes }) => sentBytes)) / 2 ** 20).toFixed(1)} MiB`,
      `${(loading / median(times)).toFixed(1)} times`,
    ];
  });
  return markdownTable([
    ['', 'median', 'range', 'peak memory', 'into the socket', 'as fast as docker load'],
    ...cells,
  ]);
}
