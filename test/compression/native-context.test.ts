import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { createGate, leaveGate, makingContexts, shutGate } from '../../src/compression/native-context.ts';

const MODULE = new URL('../../src/compression/native-context.ts', import.meta.url);

/** A thread that makes one small context after the other, and counts them. */
const PROGRAM = `
  import { zstdCompressSync } from 'node:zlib';
  import { workerData } from 'node:worker_threads';
  const { makingContexts, useGate } = await import(${JSON.stringify(MODULE.href)});
  useGate(workerData.gate);
  const bytes = Buffer.alloc(10);
  for (;;) {
    makingContexts(() => zstdCompressSync(bytes, { chunkSize: 64 }));
    Atomics.add(workerData.made, 0, 1);
    Atomics.notify(workerData.made, 0);
  }
`;

test('a thread without a gate makes contexts', () => {
  assert.equal(
    makingContexts(() => 1),
    1,
  );
});

test('a gate that is shut stays shut, and its thread makes nothing more', async () => {
  const made = new Int32Array(new SharedArrayBuffer(4));
  const gate = createGate();
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(PROGRAM)}`), {
    workerData: { gate, made },
  });
  await Atomics.waitAsync(made, 0, 0).value;
  await shutGate(gate);
  await shutGate(gate);
  const before = Atomics.load(made, 0);
  // Whatever was made before the gate shut may still be counted, once.
  const { value } = Atomics.waitAsync(made, 0, before + 1, 50);
  await value;
  assert.ok(Atomics.load(made, 0) <= before + 1);
  await worker.terminate();
});

test('whoever shuts a gate waits for who is inside', async () => {
  const gate = createGate();
  const INSIDE = 1;
  Atomics.store(gate, 0, INSIDE);
  let isShut = false;
  const shut = shutGate(gate).then(() => (isShut = true));
  await new Promise(setImmediate);
  assert.equal(isShut, false);
  leaveGate(gate);
  await shut;
});
