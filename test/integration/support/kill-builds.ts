/**
 * Builds into one layout and one archive with one cache, killed at random moments; after each one the layout must be valid and the archive
 * whole or not there, and the next build succeed with the same digests. By hand, on an image of one's own:
 *
 *     node test/integration/support/kill-builds.ts ITERATIONS DIRECTORY IMAGE.json [OPTION...]
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { randomNumbers } from '../../support/random-numbers.ts';
import { phylloChecked, phylloCommand } from './phyllo.ts';
import { outcomeOf, runChecked, start } from './process.ts';
import { sha256OfFile } from './skopeo.ts';

export interface KillOptions {
  /** Of phyllo, but for the destination. */
  readonly args: readonly string[];
  /** Made here. */
  readonly directory: string;
  readonly iterations: number;
  /** The same moments for the same seed, as far as the machine is as fast. */
  readonly seed: number;
}

export interface KillResult {
  /** Builds that were killed before their end. */
  readonly killed: number;
  /** Temporary files that they left. */
  readonly left: number;
}

export async function killBuilds({ args, directory, iterations, seed }: KillOptions): Promise<KillResult> {
  mkdirSync(directory, { recursive: true });
  const layout = join(directory, 'layout');
  const env = { XDG_CACHE_HOME: join(directory, 'cache') };
  const archive = join(directory, 'archive.tar');
  const to = ['--to', `oci:${layout}:killed`, '--to', `docker-archive:${archive}`];
  const build = [...args, '--json', ...to];
  const started = performance.now();
  const expected = digestsOf(await phylloChecked(build, { env }));
  const wholeMs = performance.now() - started;
  const archiveDigest = await sha256OfFile(archive);
  const random = randomNumbers(seed);
  let killed = 0;
  let left = 0;
  for (let i = 0; i < iterations; i += 1) {
    // Now the cache, now the layout, now both must be written again.
    if (i % 3 !== 1) rmSync(layout, { recursive: true, force: true });
    if (i % 3 !== 2) rmSync(env.XDG_CACHE_HOME, { recursive: true, force: true });
    rmSync(archive);
    const [program, ...rest] = phylloCommand(build);
    const child = start(program, rest, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    const outcome = outcomeOf(child);
    await Promise.race([delay(random() * wholeMs), outcome]);
    child.kill('SIGKILL');
    if ((await outcome).signal === 'SIGKILL') killed += 1;
    left += verifyLayout(layout);
    if (existsSync(archive)) assert.equal(await sha256OfFile(archive), archiveDigest);
    assert.deepEqual(digestsOf(await phylloChecked(build, { env })), expected, `after build ${i}`);
    verifyLayout(layout);
    assert.equal(await sha256OfFile(archive), archiveDigest);
    removeTemporary(directory);
    await runChecked('skopeo', ['inspect', `oci:${layout}:killed`]);
  }
  return { killed, left };
}

/** Everything that the index names is there, and every blob is what its name says; gives the number of temporary files. */
function verifyLayout(layout: string): number {
  const names = readNames(join(layout, 'blobs/sha256'));
  const temporary = names.filter((name) => name.endsWith('.tmp'));
  const blobs = new Set(names.filter((name) => !name.endsWith('.tmp')));
  for (const name of blobs) {
    const bytes = readFileSync(join(layout, 'blobs/sha256', name));
    assert.equal(createHash('sha256').update(bytes).digest('hex'), name);
  }
  if (!readNames(layout).includes('oci-layout')) return temporary.length;
  const { manifests } = readJson(join(layout, 'index.json')) as { readonly manifests: readonly Named[] };
  for (const manifest of manifests) {
    const { config, layers } = readJson(join(layout, 'blobs/sha256', hexOf(manifest))) as {
      readonly config: Named;
      readonly layers: readonly Named[];
    };
    for (const blob of [config, ...layers]) assert.ok(blobs.has(hexOf(blob)), `${blob.digest} is missing`);
  }
  return temporary.length;
}

/** Archives that were begun: in time they would fill the disk. */
function removeTemporary(directory: string): void {
  for (const name of readNames(directory)) if (name.endsWith('.tmp')) rmSync(join(directory, name));
}

interface Named {
  readonly digest: string;
}

function hexOf({ digest }: Named): string {
  return digest.replace('sha256:', '');
}

function readNames(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function readJson(file: string): unknown {
  return JSON.parse(readFileSync(file, 'utf8'));
}

function digestsOf(json: string): unknown {
  const { manifestDigest, layers } = JSON.parse(json) as {
    readonly manifestDigest: string;
    readonly layers: readonly Named[];
  };
  return [manifestDigest, ...layers.map(({ digest }) => digest)];
}

if (import.meta.main) {
  const [iterations = '200', directory = '', ...args] = process.argv.slice(2);
  const options = {
    args: ['build', ...args, '--quiet'],
    directory,
    iterations: Number(iterations),
    seed: Date.now(),
  };
  const { killed, left } = await killBuilds(options);
  process.stdout.write(`${iterations} builds, ${killed} killed, ${left} temporary files left, all sound\n`);
}
