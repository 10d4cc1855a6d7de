/** A worker thread: one job at a time, one reply for each, after any number of chunks. */
import { parentPort } from 'node:worker_threads';
import { RingSink } from './chunk-ring.ts';
import { type ChunkSink, FileSink } from './chunk-sink.ts';
import { scanPath } from './scan-path.ts';
import { type Job, type JobResults, type Reply, toFailure, type WriteTarget } from './worker-protocol.ts';
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
  return job.kind === 'scan' ? await scanPath(job.request) : await writeLayer(job.layer, sinkFor(job.to));
}

function sinkFor(to: WriteTarget): ChunkSink {
  if (to.kind === 'files') return new FileSink(to.places);
  return new RingSink(to.ring, (length) => reply({ kind: 'chunk', length }));
}
