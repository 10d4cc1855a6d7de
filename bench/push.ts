/**
 * What a push into a registry on loopback takes, against skopeo with an archive of the same image.
 *
 *     node bench/push.ts --make DIR [--runs 3] [--only REGEXP]      makes a large closure out of Debian packages in DIR (once)
 *     node bench/push.ts --paths FILE [--runs 3] [--only REGEXP]    measures on these paths of the machine's own Nix store
 *
 * Every cold push goes to a registry that is empty, started for it. Prints Markdown. Needs python3, Nix, docker-registry, skopeo, a built
 * dist/.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Registry, startRegistry } from '../test/integration/support/registry.ts';
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

interface Case {
  readonly name: string;
  /** Whether the registry has nothing; otherwise it has what the case before pushed. */
  readonly isCold: boolean;
  readonly command: (host: string) => readonly string[];
}

interface Result extends Measurement {
  /** Of the image's layers, compressed. */
  readonly layerBytes: number;
  /** What the registry got. */
  readonly bytesSent: number | undefined;
}

const REPOSITORY = 'bench/app';

await main();

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      paths: { type: 'string' },
      make: { type: 'string' },
      runs: { type: 'string', default: '3' },
      only: { type: 'string', default: '' },
    },
  });
  const runs = readRuns(values.runs);
  const closure = await readClosure(values);
  const work = mkdtempSync(join(tmpdir(), 'phyllo-bench-'));
  process.env['XDG_CACHE_HOME'] = join(work, 'cache');
  const fresh = new FreshPaths(closure, work);
  try {
    const about = machine(['skopeo', 'docker-registry']);
    const cases = casesFor(closure, { work, fresh }).filter(
      ({ name, isCold }) => !isCold || new RegExp(values.only).test(name),
    );
    const results = await interleave(cases, { runs, work });
    print([
      ...about,
      `- ${closure.paths.length} store paths, warm page cache, ${runs} runs`,
      '',
      ...table(results),
    ]);
  } finally {
    fresh.remove();
    rmSync(work, { recursive: true, force: true });
  }
}

function casesFor(
  closure: Closure,
  { work, fresh }: { readonly work: string; readonly fresh: FreshPaths },
): readonly Case[] {
  const image = writeImageDescription(closure, work);
  const archive = join(work, 'archive.tar');
  const changing = ['--contents', fresh.add()];
  const build = (to: string, options: readonly string[]): readonly string[] => [
    ...[...PHYLLO, 'build', ...image, '--json', '--max-layers', '100', '--jobs', '2', '--to', to],
    ...options,
  ];
  const push =
    (...options: readonly string[]) =>
    (host: string): readonly string[] =>
      build(`docker://${host}/${REPOSITORY}:1`, options);
  measure(build(`docker-archive:${archive}`, ['--no-cache', ...changing]), { stdout: '/dev/null' });
  const skopeo =
    (...options: readonly string[]) =>
    (host: string): readonly string[] => [
      ...['skopeo', '--insecure-policy', 'copy', '--quiet', '--dest-tls-verify=false', ...options],
      ...[`docker-archive:${archive}`, `docker://${host}/${REPOSITORY}:1`],
    ];
  return [
    { name: 'skopeo copy, gzip', isCold: true, command: skopeo() },
    { name: 'phyllo, gzip', isCold: true, command: push(...changing) },
    { name: 'phyllo, gzip, unchanged', isCold: false, command: push(...changing) },
    {
      name: 'phyllo, gzip, one path changed',
      isCold: false,
      command: (host) => push('--contents', fresh.add())(host),
    },
    { name: 'phyllo, gzip:3', isCold: true, command: push('--compress', 'gzip:3', ...changing) },
    { name: 'phyllo, gzip:1', isCold: true, command: push('--compress', 'gzip:1', ...changing) },
    { name: 'skopeo copy, zstd', isCold: true, command: skopeo('--dest-compress-format', 'zstd') },
    { name: 'phyllo, zstd', isCold: true, command: push('--compress', 'zstd', ...changing) },
  ];
}

/** Every case once, then every case once more, so that a busy minute of the machine meets all of them. */
async function interleave(
  cases: readonly Case[],
  { runs, work }: { readonly runs: number; readonly work: string },
): Promise<ReadonlyMap<string, readonly Result[]>> {
  const results = new Map<string, Result[]>(cases.map(({ name }) => [name, []]));
  let registry: Registry | undefined;
  const restart = async (): Promise<Registry> => {
    await stop();
    for (const name of ['cache', 'registry']) rmSync(join(work, name), { recursive: true, force: true });
    return await startRegistry(work);
  };
  const stop = async (): Promise<void> => await registry?.stop();
  try {
    for (let round = 0; round < runs; round++) {
      for (const { name, isCold, command } of cases) {
        if (isCold || registry === undefined) registry = await restart();
        const stdout = join(work, 'stdout');
        const measurement = measure(command(registry.host), { stdout });
        const result = { ...measurement, ...(await describePush(stdout, registry)) };
        results.get(name)?.push(result);
        process.stderr.write(`${name}: ${JSON.stringify(result)}\n`);
      }
    }
    return results;
  } finally {
    await stop();
  }
}

async function describePush(
  stdout: string,
  { host }: Registry,
): Promise<Pick<Result, 'layerBytes' | 'bytesSent'>> {
  const response = await fetch(`http://${host}/v2/${REPOSITORY}/manifests/1`, {
    headers: {
      accept:
        'application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json',
    },
  });
  const { layers } = (await response.json()) as { readonly layers: readonly { readonly size: number }[] };
  const text = readFileSync(stdout, 'utf8');
  const built =
    text === ''
      ? undefined
      : (JSON.parse(text) as { readonly pushed: readonly { readonly bytesSent: number }[] });
  return {
    layerBytes: layers.reduce((sum, { size }) => sum + size, 0),
    bytesSent: built?.pushed[0]?.bytesSent,
  };
}

function table(results: ReadonlyMap<string, readonly Result[]>): readonly string[] {
  const secondsOf = (name: string): number => median((results.get(name) ?? []).map(({ seconds }) => seconds));
  const reference = secondsOf('skopeo copy, gzip');
  const rows = [...results].map(([name, measured]) => {
    const times = measured.map(({ seconds }) => seconds);
    const sent = measured.at(-1)?.bytesSent;
    return [
      name,
      `${secondsOf(name).toFixed(2)} s`,
      `${Math.min(...times).toFixed(2)} to ${Math.max(...times).toFixed(2)} s`,
      `${median(measured.map(({ userSeconds, systemSeconds }) => userSeconds + systemSeconds)).toFixed(1)} s`,
      `${mebibytes(Math.max(...measured.map(({ maxRssBytes }) => maxRssBytes)))} MiB`,
      `${mebibytes(measured.at(-1)?.layerBytes ?? 0)} MiB`,
      sent === undefined ? '' : `${sent.toLocaleString('en')}`,
      `${(reference / secondsOf(name)).toFixed(1)} times`,
    ];
  });
  const titles = [
    '',
    'median',
    'range',
    'processor',
    'peak memory',
    'layers',
    'bytes sent',
    'as fast as skopeo',
  ];
  return markdownTable([titles, ...rows]);
}
