/**
 * Makes compressed layers with all workers at once, also when there is one layer only, and with no more threads than workers.
 *
 * One worker leads each layer: it makes the tar's bytes, hashes them, and writes the compressed blocks in order. Workers without a
 * layer of their own compress blocks of the others' (block-board.ts), until there is a layer or another job for them.
 */
import { type BlockBoard, createBlockBoard, isClosed, setClosed } from './block-board.ts';
import { readRingAsync, RingPool } from './chunk-ring.ts';
import type { FilePosition } from './chunk-sink.ts';
import type { Encoder } from './encoder.ts';
import type { LayerSource } from './layer-source.ts';
import type { LayerWorkers } from './layer-workers.ts';
import type { StoredLayer } from './stored-layer.ts';

/** Takes compressed bytes in order; they may be overwritten once it is done with them. */
export type TakeBytes = (bytes: Uint8Array) => void | Promise<void>;

export interface CompressOptions {
  readonly encoder: Encoder;
  readonly workers: LayerWorkers;
  /** Where the blob goes, written by the workers. */
  readonly places?: readonly FilePosition[];
  /** Gets the blob, too, in this thread. */
  readonly take?: TakeBytes | undefined;
}

/**
 * Compresses one layer. Several at a time share the workers.
 * @throws what making the layer, writing or taking its bytes throws
 */
export async function compressLayer(
  source: LayerSource,
  { encoder, workers, places = [], take }: CompressOptions,
): Promise<Omit<StoredLayer, 'mediaType'>> {
  const team = teamOf(workers, encoder);
  team.begin();
  try {
    const job = { kind: 'compress', layer: source, places, board: team.board } as const;
    if (take === undefined) return await workers.run({ ...job, ring: undefined });
    const ring = team.rings.take();
    const deliver = async (): Promise<void> => {
      for await (const bytes of readRingAsync(ring)) await take(bytes);
    };
    // Whichever fails first ends the layer; the other may wait for ever and is not waited for.
    const [blob] = await Promise.all([workers.run({ ...job, ring }), deliver()]);
    team.rings.giveBack(ring);
    return blob;
  } finally {
    team.end();
  }
}

/** The workers that compress with one encoder. */
class Team {
  readonly board: BlockBoard;
  readonly rings = new RingPool();
  readonly #workers: LayerWorkers;
  #layers = 0;
  #helpers = 0;

  constructor(workers: LayerWorkers, encoder: Encoder) {
    this.#workers = workers;
    // For each worker the block that it compresses and the next one, and two that are made or written.
    this.board = createBlockBoard(encoder, 2 * workers.count + 2);
  }

  begin(): void {
    this.#layers += 1;
    if (this.#layers === 1) setClosed(this.board, false);
    while (this.#helpers < this.#workers.count - 1) void this.#help();
  }

  end(): void {
    this.#layers -= 1;
    if (this.#layers === 0) setClosed(this.board, true);
  }

  /** As long as there are layers; a helper that is wanted elsewhere comes back. Its failure is the pool's, of which the lead hears. */
  async #help(): Promise<void> {
    this.#helpers += 1;
    try {
      while (!isClosed(this.board)) await this.#workers.runSpare({ kind: 'help', board: this.board });
    } catch {
      return;
    } finally {
      this.#helpers -= 1;
    }
  }
}

const teams = new WeakMap<LayerWorkers, Map<string, Team>>();

/** Kept as long as the workers are there: new memory for each layer would cost more than a small layer itself. */
function teamOf(workers: LayerWorkers, encoder: Encoder): Team {
  const own = teams.get(workers) ?? new Map<string, Team>();
  teams.set(workers, own);
  const team = own.get(encoder.id) ?? new Team(workers, encoder);
  own.set(encoder.id, team);
  return team;
}
