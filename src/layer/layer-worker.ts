/** A worker thread: one job at a time, one reply for each. */
import { createHash } from 'node:crypto';
import { parentPort } from 'node:worker_threads';
import { finishDigest } from '../digest.ts';
import { readRing, RingSink } from './chunk-ring.ts';
import { FileSink, TeeSink } from './chunk-sink.ts';
import type { LayerDigest } from './layer-source.ts';
import { scanPath } from './scan-path.ts';
import {
  type DigestJob,
  type FeedJob,
  type Job,
  type JobResults,
  type Reply,
  toFailure,
  type WriteJob,
} from './worker-protocol.ts';
import { writeLayer } from './write-layer.ts';

if (parentPort === null) throw new TypeError('layer-worker.ts runs as a worker thread only');
const port = parentPort;

port.on('message', (job: Job) => {
  void perform(job).then(
    (result) => reply({ kind: 'done', result }),
    (error: unknown) => reply({ kind: 'failed', failure: toFailure(error) }),
  );
});

function reply(message: Reply): void {
  port.postMessage(message);
}

async function perform(job: Job): Promise<JobResults[Job['kind']]> {
  switch (job.kind) {
    case 'scan':
      return await scanPath(job.request);
    case 'write':
      return await write(job);
    case 'feed':
      return await feed(job);
    case 'digest':
      return digest(job);
    default:
      throw new TypeError(`unknown job ${JSON.stringify(job)}`);
  }
}

async function write({ layer, places }: WriteJob): Promise<LayerDigest> {
  const sink = new FileSink(places);
  const size = await writeLayer(layer, sink);
  return { diffID: sink.digest(), size };
}

async function feed({ layer, places, ring }: FeedJob): Promise<undefined> {
  const sink = new RingSink(ring);
  await writeLayer(layer, new TeeSink(places, sink));
  sink.end();
}

function digest({ ring }: DigestJob): LayerDigest {
  const hash = createHash('sha256');
  let size = 0;
  for (const chunk of readRing(ring)) {
    hash.update(chunk);
    size += chunk.length;
  }
  return { diffID: finishDigest(hash), size };
}
