/** A worker thread: one job at a time, one reply for each. */
import { parentPort } from 'node:worker_threads';
import { FileSink } from './chunk-sink.ts';
import type { LayerDigest } from './layer-source.ts';
import { scanPath } from './scan-path.ts';
import { digestRing, SharedSink } from './shared-sink.ts';
import {
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
      return digestRing(job.ring, job.places);
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
  const sink = new SharedSink(places, ring);
  await writeLayer(layer, sink);
  sink.end();
}
