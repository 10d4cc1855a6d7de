/** How far the making of layers is. Workers count bytes in shared memory; whoever shows progress looks when it wants to. */
export type ByteCounter = BigInt64Array<SharedArrayBuffer>;

export interface ProgressState {
  /** Bytes of tars made and to be made; the total grows while more work is found. */
  readonly bytesDone: number;
  readonly bytesTotal: number;
  readonly layersDone: number;
  readonly layersTotal: number;
  /** Bytes on their way to registries, and those that arrived. */
  readonly bytesSent: number;
  /** The largest layer at work; undefined: none. */
  readonly current: string | undefined;
}

export class LayerProgress {
  readonly counter: ByteCounter = new BigInt64Array(new SharedArrayBuffer(BigInt64Array.BYTES_PER_ELEMENT));
  /** Layers that are not done, with their sizes: workers take the largest first. */
  readonly #open = new Map<string, number>();
  #bytesTotal = 0;
  #layersDone = 0;
  #layersTotal = 0;
  #bytesSent = 0;

  /** @param layer its size is that of its tar in bytes */
  expect({ label, size }: { readonly label: string; readonly size: number }): void {
    this.#open.set(label, size);
    this.#bytesTotal += size;
    this.#layersTotal += 1;
  }

  finish(label: string): void {
    this.#open.delete(label);
    this.#layersDone += 1;
  }

  /** @param bytes that go over a network, besides those before */
  send(bytes: number): void {
    this.#bytesSent += bytes;
  }

  get state(): ProgressState {
    return {
      bytesDone: Number(Atomics.load(this.counter, 0)),
      bytesTotal: this.#bytesTotal,
      layersDone: this.#layersDone,
      layersTotal: this.#layersTotal,
      bytesSent: this.#bytesSent,
      current: [...this.#open].sort(([, left], [, right]) => right - left)[0]?.[0],
    };
  }
}
