/**
 * Images from a binary cache behind HTTP on loopback against the same images from the local store, and how long it takes to
 * find a closure, with and without latency. Interleaved in one run.
 *
 *     node bench/caches.ts --make DIR [--runs 5]                    makes a large closure in DIR (once) and measures on it
 *     node bench/caches.ts --paths FILE [--cache DIR] [--runs 5]    measures on these paths of the machine's own Nix store
 *
 * The cache has zstd NARs and is made in DIR once, signed with a key of its own. Prints Markdown. Needs Nix, python3 and a
 * built dist/. The server runs on the same processors as phyllo, and takes its share of them.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
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

interface Contender {
  readonly name: string;
  readonly command: readonly string[];
}

interface Cache {
  readonly directory: string;
  readonly publicKey: string;
}

const JOBS = '2';
const LATENCY_MS = 50;

await main();

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      paths: { type: 'string' },
      make: { type: 'string' },
      cache: { type: 'string' },
      runs: { type: 'string', default: '5' },
    },
  });
  const closure = await readClosure(values);
  const work = mkdtempSync(join(tmpdir(), 'phyllo-bench-'));
  const place = values.cache ?? values.make;
  const cache = makeCache(closure, resolve(place === undefined ? work : join(place, 'cache')));
  const servers = await Promise.all([startServer(cache, 0), startServer(cache, LATENCY_MS)]);
  try {
    const [near, far] = servers.map(({ url }) => url) as [string, string];
    print(measureAll(closure, { cache, near, far, work, runs: readRuns(values.runs) }));
  } finally {
    for (const { stop } of servers) stop();
    rmSync(work, { recursive: true, force: true });
  }
}

function makeCache({ paths, root, env }: Closure, directory: string): Cache {
  const [secret, shared] = [join(directory, 'secret'), join(directory, 'public')];
  if (!existsSync(shared)) {
    mkdirSync(directory, { recursive: true });
    const options = { env: { ...process.env, ...env }, stdio: 'ignore' } as const;
    execFileSync('nix-store', ['--generate-binary-cache-key', 'bench-1', secret, shared], options);
    const store = root === '' ? [] : ['--store', root];
    const to = `file://${directory}?compression=zstd&secret-key=${secret}`;
    const features = ['--extra-experimental-features', 'nix-command'];
    execFileSync('nix', [...features, ...store, 'copy', '--to', to, ...paths], options);
  }
  return { directory, publicKey: readFileSync(shared, 'utf8').trim() };
}

interface RunningServer {
  readonly url: string;
  readonly stop: () => void;
}

/** In a process of its own, which ends with this one. */
async function startServer({ directory }: Cache, latencyMs: number): Promise<RunningServer> {
  const program = join(import.meta.dirname, 'cache-server.ts');
  const child = spawn(process.execPath, [program, directory, String(latencyMs)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const [url] = (await once(createInterface(child.stdout), 'line')) as [string];
  return { url, stop: () => child.stdin.end() };
}

interface Settings {
  readonly cache: Cache;
  readonly near: string;
  readonly far: string;
  readonly work: string;
  readonly runs: number;
}

function measureAll(closure: Closure, settings: Settings): readonly string[] {
  const { work, runs, cache } = settings;
  const layout = join(work, 'layout');
  const contenders = contendersFor(closure, { ...settings, layout });
  const results = new Map<string, Measurement[]>(contenders.map(({ name }) => [name, []]));
  for (let round = 0; round <= runs; round += 1) {
    for (const { name, command } of contenders) {
      rmSync(layout, { recursive: true, force: true });
      const measured = measure(command, { stdout: '/dev/null' });
      // The first round warms the page cache.
      if (round > 0) results.get(name)?.push(measured);
    }
  }
  return [
    ...machine(['python3', 'nix']),
    '',
    `${closure.paths.length} store paths asked for, zstd NARs of ${mebibytes(sizeOf(cache))} MiB, ${JOBS} jobs, ${runs} runs.`,
    '',
    ...table(results),
  ];
}

function contendersFor(
  closure: Closure,
  { cache, near, far, work, layout }: Settings & { readonly layout: string },
): readonly Contender[] {
  const [file = '', ...local] = writeImageDescription(closure, work);
  const build = (store: readonly string[]): readonly string[] => [
    ...PHYLLO,
    'build',
    file,
    ...store,
    ...['--no-cache', '--quiet', '--jobs', JOBS, '--to', `oci:${layout}`],
  ];
  const from = (url: string): readonly string[] => ['--store', url, '--trusted-public-keys', cache.publicKey];
  const resolving = (url: string): readonly string[] => [
    ...PHYLLO,
    'closure',
    ...closure.paths,
    ...from(url),
    '--no-narinfo-cache',
  ];
  return [
    { name: 'image, local store', command: build(local) },
    { name: 'image, file:// cache', command: build(['--store', `file://${cache.directory}`]) },
    { name: 'image, http:// cache', command: build([...from(near), '--no-narinfo-cache']) },
    { name: 'closure, http://', command: resolving(near) },
    { name: `closure, http:// with ${LATENCY_MS} ms`, command: resolving(far) },
    { name: 'nothing (phyllo --version)', command: [...PHYLLO, '--version'] },
  ];
}

function table(results: ReadonlyMap<string, readonly Measurement[]>): readonly string[] {
  const local = median((results.get('image, local store') ?? []).map(({ seconds }) => seconds));
  const rows = [...results].map(([name, measurements]) => {
    const times = measurements.map(({ seconds }) => seconds);
    const processor = measurements.map(({ userSeconds, systemSeconds }) => userSeconds + systemSeconds);
    return [
      name,
      `${median(times).toFixed(2)} s`,
      `${Math.min(...times).toFixed(2)} to ${Math.max(...times).toFixed(2)} s`,
      `${median(processor).toFixed(2)} s`,
      `${mebibytes(Math.max(...measurements.map(({ maxRssBytes }) => maxRssBytes)))} MiB`,
      name.startsWith('image') ? (median(times) / local).toFixed(2) : '',
    ];
  });
  const titles = ['', 'median', 'range', 'processor', 'peak memory', 'time of the local store'];
  return markdownTable([titles, ...rows]);
}

function sizeOf({ directory }: Cache): number {
  const output = execFileSync('du', ['--bytes', '--summarize', join(directory, 'nar')], { encoding: 'utf8' });
  return Number(output.split('\t')[0]);
}
