/** The pool of worker threads. Jobs start in the order in which they are given; each worker has one at a time. */
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { createGate, type Gate, leaveGate, shutGate } from '../compression/native-context.ts';
import { type ByteCounter, LayerProgress } from './progress.ts';
import { fromFailure, type Job, type JobResults, type Reply, type WorkerData } from './worker-protocol.ts';

interface Task {
  readonly job: Job;
  readonly resolve: (result: JobResults[Job['kind']]) => void;
  readonly reject: (error: unknown) => void;
}

/** Measured: 20 MB of memory less for each worker than Node's default, and as fast. */
const YOUNG_GENERATION_MB = 4;
/** How long jobs wait for the first worker before others are started: it takes a fraction of their start to make a few small layers. */
const ALONE_MS = 20;

export class LayerWorkers {
  readonly #counter: ByteCounter;
  readonly #idle: Worker[] = [];
  readonly #gates = new Map<Worker, Gate>();
  readonly #workers = new Map<Worker, Task | undefined>();
  readonly #queue: Task[] = [];
  /** For workers that would have nothing to do. */
  readonly #spare: Task[] = [];
  /** The length of the queue, for workers to see. */
  readonly #waiting = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  #startingOthers: NodeJS.Timeout | undefined;
  #closed = false;

  /** Threads that work at the same time. */
  readonly count: number;

  /**
   * At most `count` threads (at least one), which count the bytes they make. They start when there is work: a build in which
   * nothing changed needs none. Whoever calls must `close`.
   */
  constructor(count: number, counter: ByteCounter = new LayerProgress().counter) {
    this.#counter = counter;
    this.count = count;
  }

  /** Starts a worker that will have work soon: a start takes a while, beside whatever this thread does. Idempotent. */
  prepare(): void {
    if (this.#workers.size === 0 && !this.#closed) this.#start();
  }

  /**
   * Runs a job when a worker is free.
   * @throws what the job threw; an Error when the pool is closed first
   */
  run<K extends Job['kind']>(job: Job & { readonly kind: K }): Promise<JobResults[K]> {
    return this.#enqueue(job, this.#queue) as Promise<JobResults[K]>;
  }

  /** The same, but all jobs given to `run` come first. The job itself must end when one of them waits. */
  runSpare<K extends Job['kind']>(job: Job & { readonly kind: K }): Promise<JobResults[K]> {
    return this.#enqueue(job, this.#spare) as Promise<JobResults[K]>;
  }

  #enqueue(job: Job, queue: Task[]): Promise<JobResults[Job['kind']]> {
    return new Promise((resolve, reject) => {
      if (this.#closed) throw new Error('the workers are closed');
      queue.push({ job, resolve, reject });
      this.#dispatch();
    });
  }

  /** Stops all threads, in the middle of a job if need be; unfinished jobs fail when nobody works any more. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#startingOthers);
    const unfinished = [...this.#workers.values(), ...this.#takeQueued()].filter(
      (task) => task !== undefined,
    );
    await Promise.all(
      [...this.#gates].map(async ([worker, gate]) => {
        await shutGate(gate);
        await worker.terminate();
      }),
    );
    for (const task of unfinished) task.reject(new Error('the workers were closed'));
  }

  #start(): void {
    // From TypeScript in the checkout. Where it is installed, from the bundle: each worker would read some 60 modules.
    const isCheckout = extname(import.meta.filename) === '.ts';
    const program = new URL(isCheckout ? './layer-worker.ts' : '../command/layer-worker.js', import.meta.url);
    const gate = createGate();
    const workerData: WorkerData = { counter: this.#counter, waiting: this.#waiting, gate };
    const worker = new Worker(program, {
      workerData,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
    });
    worker.on('message', (reply: Reply) => this.#receive(worker, reply));
    worker.on('error', (error: Error) => this.#fail(worker, error));
    worker.on('exit', (status) =>
      this.#fail(worker, new Error(`a worker thread ended with status ${status}`)),
    );
    this.#gates.set(worker, gate);
    this.#workers.set(worker, undefined);
    this.#idle.push(worker);
  }

  #dispatch(): void {
    for (let next = this.#next(); next !== undefined && this.#hasIdle(); next = this.#next()) {
      const worker = this.#idle.shift() as Worker;
      const task = next.shift() as Task;
      this.#workers.set(worker, task);
      worker.postMessage(task.job);
    }
    Atomics.store(this.#waiting, 0, this.#queue.length);
  }

  #hasIdle(): boolean {
    if (this.#workers.size === 0) this.#start();
    if (this.#idle.length > 0) return true;
    if (this.#workers.size < this.count)
      this.#startingOthers ??= setTimeout(() => this.#startOthers(), ALONE_MS);
    return false;
  }

  /** As many as there are jobs that wait, and may be. */
  #startOthers(): void {
    this.#startingOthers = undefined;
    if (this.#closed) return;
    const jobs = this.#queue.length + this.#spare.length - this.#idle.length;
    const wanted = Math.min(jobs, this.count - this.#workers.size);
    for (let started = 0; started < wanted; started += 1) this.#start();
    this.#dispatch();
  }

  /** The queue whose turn it is. */
  #next(): Task[] | undefined {
    return [this.#queue, this.#spare].find((queue) => queue.length > 0);
  }

  #takeQueued(): Task[] {
    return [...this.#queue.splice(0), ...this.#spare.splice(0)];
  }

  #receive(worker: Worker, reply: Reply): void {
    const task = this.#workers.get(worker);
    this.#workers.set(worker, undefined);
    this.#idle.push(worker);
    if (reply.kind === 'done') task?.resolve(reply.result);
    else task?.reject(fromFailure(reply.failure));
    this.#dispatch();
  }

  /** A worker that dies takes the build with it: what is queued could wait for ever. */
  #fail(worker: Worker, error: Error): void {
    const task = this.#workers.get(worker);
    this.#workers.delete(worker);
    const gate = this.#gates.get(worker);
    if (gate !== undefined) leaveGate(gate);
    this.#gates.delete(worker);
    if (this.#closed) return;
    this.#closed = true;
    task?.reject(error);
    for (const waiting of this.#takeQueued()) waiting.reject(error);
  }
}
