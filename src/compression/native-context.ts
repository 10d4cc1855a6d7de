/**
 * Contexts of zlib and zstd in threads that may be stopped. A thread that is stopped after a context's construction and before its
 * initialisation takes the whole process with it: Node.js aborts ("close before init"). So such a thread has a *gate*: it makes
 * contexts only inside, and whoever stops it shuts the gate first.
 *
 * A gate is one 32-bit word in shared memory: open, or somebody is inside, or shut for ever.
 */
const OPEN = 0;
const INSIDE = 1;
const SHUT = 2;

/** Plain data for a message. */
export type Gate = Int32Array<SharedArrayBuffer>;

export function createGate(): Gate {
  return new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
}

let own: Gate | undefined;

/** From now on this thread makes contexts inside `gate`. A thread that nobody stops needs none. */
export function useGate(gate: Gate): void {
  own = gate;
}

/** Calls `make`, which makes contexts and must not call this again. Before a gate that is shut it waits for the thread's end. */
export function makingContexts<T>(make: () => T): T {
  if (own === undefined) return make();
  enterGate(own);
  try {
    return make();
  } finally {
    leaveGate(own);
  }
}

function enterGate(gate: Gate): void {
  while (Atomics.compareExchange(gate, 0, OPEN, INSIDE) !== OPEN) Atomics.wait(gate, 0, SHUT);
}

/** For a thread that has ended and cannot do it itself. */
export function leaveGate(gate: Gate): void {
  Atomics.store(gate, 0, OPEN);
  Atomics.notify(gate, 0);
}

/** Resolves when the gate's thread makes no context and will make none. Idempotent. */
export async function shutGate(gate: Gate): Promise<void> {
  while (Atomics.compareExchange(gate, 0, OPEN, SHUT) === INSIDE)
    await Atomics.waitAsync(gate, 0, INSIDE).value;
}
