/** A worker thread: one job at a time, one reply for each. */
import { parentPort, workerData } from 'node:worker_threads';
import { useGate } from '../compression/native-context.ts';
import { BlobOutput } from './blob-output.ts';
import { helpCompress } from './block-helper.ts';
import { BlockLead } from './block-lead.ts';
import { CountingSink, FileSink } from './chunk-sink.ts';
import type { LayerDigest } from './layer-source.ts';
import { scanPath } from './scan-path.ts';
import { digestRing, SharedSink } from './shared-sink.ts';
import {
  type CompressJob,
  type FeedJob,
  type HelpJob,
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
const { counter, waiting, gate } = workerData as WorkerData;
useGate(gate);

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
    case 'compress':
      return await compress(job);
    case 'help':
      return help(job);
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

async function compress({ layer, board, places, ring }: CompressJob): Promise<JobResults['compress']> {
  const output = new BlobOutput(places, ring);
  const lead = new BlockLead(board, (bytes) => output.write(bytes));
  try {
    await writeLayer(layer, new CountingSink(lead, counter));
    const { diffID, size: tarSize } = lead.end();
    return { diffID, tarSize, ...output.end() };
  } finally {
    lead.release();
  }
}

function help({ board }: HelpJob): undefined {
  helpCompress(board, () => Atomics.load(waiting, 0) > 0);
}
