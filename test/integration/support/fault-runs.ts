/**
 * Small images pushed through a proxy that breaks things. Each push ends with an image that is complete, or with an error that says what is
 * wrong; there is never a tag without its blobs, and a push never hangs. By hand, in a directory for the registry's files:
 *
 *     node test/integration/support/fault-runs.ts RUNS SEED DIRECTORY
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { PhylloError } from '../../../src/errors.ts';
import { blobOf, type Descriptor, descriptorOf } from '../../../src/image/blob.ts';
import type { ImageDocuments } from '../../../src/image/image.ts';
import { encodeManifest } from '../../../src/image/image-manifest.ts';
import { LAYER_MEDIA_TYPES } from '../../../src/image/media-types.ts';
import type { StoredLayer } from '../../../src/layer/stored-layer.ts';
import type { BlobPlace } from '../../../src/transport/blob-target.ts';
import { Registries } from '../../../src/transport/registry/registries.ts';
import { authenticateWith } from '../../../src/transport/registry/registry-authenticator.ts';
import { RegistryTarget } from '../../../src/transport/registry/registry-target.ts';
import { patterned } from '../../support/patterned.ts';
import { randomNumbers } from '../../support/random-numbers.ts';
import { type FaultProxy, startFaultProxy } from './fault-proxy.ts';
import { startRegistry } from './registry.ts';

export interface FaultRunOptions {
  /** For the registry's files. */
  readonly directory: string;
  readonly runs: number;
  /** Of the first run; the next one's is the next number. */
  readonly seed: number;
}

export interface FaultRunResult {
  /** Runs whose image is complete. */
  readonly complete: number;
  /** Runs that ended with each error. */
  readonly failed: ReadonlyMap<string, number>;
  /** How often each thing went wrong. */
  readonly happened: ReadonlyMap<string, number>;
}

const HANGS_AFTER_MS = 60_000;
const NETWORK = { backoffMs: 1, maxWaitMs: 1000, retries: 2, answerTimeoutMs: 5000 };
const LARGE = patterned(5_000_000, { repeats: false });

export async function faultRuns({ directory, runs, seed }: FaultRunOptions): Promise<FaultRunResult> {
  const registry = await startRegistry(directory, { name: `faults-${seed}` });
  const proxy = await startFaultProxy({ registry: registry.host });
  const failed = new Map<string, number>();
  let complete = 0;
  try {
    for (let i = 0; i < runs; i += 1) {
      const random = randomNumbers(seed + i);
      const run = { proxy, registry: registry.host, random, repository: `faults/run-${seed + i}` };
      const error = await runOnce(run).catch((cause: unknown) => {
        throw new Error(`seed ${seed + i}`, { cause });
      });
      if (error === undefined) complete += 1;
      else failed.set(error.code, (failed.get(error.code) ?? 0) + 1);
    }
    assert.deepEqual(proxy.leaked, [], 'proof of who asks went to another origin');
    return { complete, failed, happened: proxy.happened };
  } finally {
    await proxy.stop();
    await registry.stop();
  }
}

interface Run {
  readonly proxy: FaultProxy;
  readonly registry: string;
  readonly random: () => number;
  readonly repository: string;
}

/** The error with which the push ended. */
async function runOnce(run: Run): Promise<PhylloError | undefined> {
  const { proxy, random, repository } = run;
  const image = makeImage(random);
  proxy.reset({ random, share: random() ** 2 * 0.6 });
  await using registries = new Registries({
    network: NETWORK,
    authenticator: authenticateWith({
      explicit: [{ host: undefined, credentials: { kind: 'password', user: 'me', password: 'open sesame' } }],
      files: [],
    }),
  });
  const target = new RegistryTarget(registries.client(proxy.host), {
    reference: { host: proxy.host, repository, tag: 'latest', digest: undefined },
    mountFrom: random() < 0.3 ? ['faults/other'] : [],
    onSent: () => undefined,
  });
  const error = await Promise.race([push(image, { target, random }), hang()]);
  if (error !== undefined && !(error instanceof PhylloError))
    throw new Error('an error that nobody expects', { cause: error });
  proxy.reset({ random, share: 0 });
  const isThere = await verify(image, run);
  if (error === undefined) assert.ok(isThere, 'the push went well, and there is no image');
  return error;
}

async function hang(): Promise<Error> {
  await delay(HANGS_AFTER_MS, undefined, { ref: false });
  return new Error('it hangs');
}

interface TestLayer extends StoredLayer {
  readonly bytes: Buffer;
}

interface TestImage {
  readonly layers: readonly TestLayer[];
  readonly documents: ImageDocuments;
}

/** Mostly of layers that are held, sometimes with one that is too large for that. */
function makeImage(random: () => number): TestImage {
  const count = 1 + Math.floor(random() * 4);
  const layers = Array.from({ length: count }, (_, i): TestLayer => {
    const bytes = Buffer.from(i === 0 && random() < 0.3 ? LARGE : LARGE.subarray(0, random() * 3000 + 8));
    bytes.writeDoubleLE(random(), 0);
    const { digest } = blobOf(bytes);
    const size = bytes.length;
    return { digest, diffID: digest, tarSize: size, size, mediaType: LAYER_MEDIA_TYPES.none, bytes };
  });
  const config = blobOf(Buffer.from(JSON.stringify({ note: random() })));
  const descriptors = layers.map(({ mediaType, digest, size }): Descriptor => ({ mediaType, digest, size }));
  return {
    layers,
    documents: { config, manifest: encodeManifest(config, descriptors), layers: descriptors },
  };
}

/** As builds push: digests are known or not, several layers are on their way at a time. */
async function push(
  { layers, documents }: TestImage,
  { target, random }: { readonly target: RegistryTarget; readonly random: () => number },
): Promise<unknown> {
  const areKnown = random() < 0.6;
  try {
    if (areKnown) await target.foresee(documents);
    await Promise.all(
      layers.map(async (layer, index) => {
        if (areKnown && (await target.has(layer))) return;
        do {
          const place = await target.open(index, areKnown ? layer : undefined);
          await writeChunks(layer.bytes, { place, random });
        } while ((await target.close(index, layer)) === 'again');
      }),
    );
    await target.commit(documents);
    return undefined;
  } catch (error) {
    return error;
  } finally {
    await target.discard();
  }
}

async function writeChunks(
  bytes: Buffer,
  { place, random }: { readonly place: BlobPlace; readonly random: () => number },
): Promise<void> {
  if (place.kind !== 'stream') throw new TypeError('registries take streams');
  for (let at = 0; at < bytes.length;) {
    const size = 1 + Math.floor(random() * 1_000_000);
    await place.write(bytes.subarray(at, at + size));
    at += size;
  }
}

/** Whether the tag is there. Then everything is, which the registry itself is asked for. */
async function verify({ documents, layers }: TestImage, { registry, repository }: Run): Promise<boolean> {
  const base = `http://${registry}/v2/${repository}`;
  const manifest = await fetch(`${base}/manifests/latest`, {
    headers: { accept: 'application/vnd.oci.image.manifest.v1+json' },
  });
  const bytes = Buffer.from(await manifest.arrayBuffer());
  if (manifest.status === 404) return false;
  assert.equal(manifest.status, 200);
  assert.deepEqual(bytes, documents.manifest.bytes);
  for (const { digest, size } of [descriptorOf(documents.config, ''), ...layers]) {
    const blob = await fetch(`${base}/blobs/${digest}`);
    const content = Buffer.from(await blob.arrayBuffer());
    assert.equal(blob.status, 200, `${digest} of ${size} bytes is missing`);
    assert.equal(`sha256:${createHash('sha256').update(content).digest('hex')}`, digest);
  }
  return true;
}

if (import.meta.main) {
  const [runs = '500', seed = '1', directory = ''] = process.argv.slice(2);
  const result = await faultRuns({ directory, runs: Number(runs), seed: Number(seed) });
  const { complete, failed, happened } = result;
  process.stdout.write(
    `${runs} runs: ${complete} complete, ${JSON.stringify(Object.fromEntries(failed))}\n${JSON.stringify(Object.fromEntries(happened))}\n`,
  );
}
