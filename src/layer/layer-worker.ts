/** A worker thread: one job at a time, one reply for each. */
import { parentPort, workerData } from 'node:worker_threads';
import { CountingSink, FileSink } from './chunk-sink.ts';
import { compressBlock } from './encoder.ts';
import type { LayerDigest } from './layer-source.ts';
import { scanPath } from './scan-path.ts';
import { BlockSink, type ChecksummedLayer, digestRing, SharedSink } from './shared-sink.ts';
import {
  type BlocksJob,
  type CompressJob,
  type FeedJob,
  type Job,
  type JobResults,
  type Reply,
  toFailure,
  type WorkerData,
  type WriteJob,
} from './worker-protocol.ts';
import { writeLayer } from './write-layer.ts';

if (parentPort === null) throw new TypeError('layer-worker.ts runs as a worker thread only');
const port = parentPort;
const { counter } = workerData as WorkerData;

port.on('message', (job: Job) => {
  void perform(job).then(
    (result) => reply({ kind: 'done', result }),
    (error: unknown) => reply({ kind: 'failed', failure: toFailure(error) }),
  );
});

function reply(message: Reply): void {
  const memory =
    message.kind === 'done' && message.result instanceof Uint8Array ? [message.result.buffer] : [];
  port.postMessage(message, memory);
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
    case 'blocks':
      return await makeBlocks(job);
    case 'compress':
      return compress(job);
    default:
      throw new TypeError(`unknown job ${JSON.stringify(job)}`);
  }
}

async function write({ layer, places }: WriteJob): Promise<LayerDigest> {
  const sink = new FileSink(places);
  const size = await writeLayer(layer, new CountingSink(sink, counter));
  return { diffID: sink.digest(), size };
}

async function feed({ layer, places, ring }: FeedJob): Promise<undefined> {
  const sink = new SharedSink(places, ring);
  await writeLayer(layer, new CountingSink(sink, counter));
  sink.end();
}

async function makeBlocks({ layer, ring }: BlocksJob): Promise<ChecksummedLayer> {
  const sink = new BlockSink(ring);
  await writeLayer(layer, new CountingSink(sink, counter));
  return sink.end();
}

/** Compressed bytes in memory of their own, which the reply hands over instead of copying. */
function compress({ encoder, block }: CompressJob): Uint8Array<ArrayBuffer> {
  return new Uint8Array(compressBlock(encoder, block));
}
