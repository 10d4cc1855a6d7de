/**
 * The lead's end of a block board: it makes a layer's bytes, hashes them, puts them on the board block by block, and hands the
 * compressed blocks on in order. Alone it compresses each block at once, while its bytes are in the processor's cache; with
 * helpers it fills slots ahead, and compresses when there is no slot left to fill.
 */
import { createHash } from 'node:crypto';
import { finishDigest } from '../digest.ts';
import {
  type BlockBoard,
  changesOf,
  CLAIMED,
  COMPRESSED,
  FILLED,
  FREE,
  helpersOf,
  moveSlot,
  readBlock,
  readOutput,
  releaseSlotAs,
  setBlockLength,
  slotAt,
  stateOf,
  TAKEN,
  takeSlot,
  waitForChange,
} from './block-board.ts';
import { compressSlot } from './block-helper.ts';
import { freeMemory } from '../compression/spent-memory.ts';
import type { ChunkSink } from './chunk-sink.ts';
import type { LayerDigest } from './layer-source.ts';

/** A slot of this lead that is filled or further. */
interface OwnBlock {
  readonly slot: number;
  /** Whether the lead compresses it: its output need not go through the slot. */
  isMine?: boolean;
  output?: Uint8Array;
}

export class BlockLead implements ChunkSink {
  readonly #board: BlockBoard;
  /** Takes compressed bytes in order; they may be overwritten afterwards. */
  readonly #write: (bytes: Uint8Array) => void;
  readonly #hash = createHash('sha256');
  /** In the layer's order. */
  readonly #blocks: OwnBlock[] = [];
  #held: number | undefined;
  #size = 0;

  constructor(board: BlockBoard, write: (bytes: Uint8Array) => void) {
    this.#board = board;
    this.#write = write;
  }

  get buffer(): Buffer {
    this.#held ??= this.#takeFree();
    return slotAt(this.#board, this.#held).block;
  }

  commit(length: number): void {
    const slot = (this.#held ??= this.#takeFree());
    this.#held = undefined;
    setBlockLength(this.#board, slot, length);
    const bytes = readBlock(this.#board, slot);
    const own: OwnBlock = { slot };
    this.#blocks.push(own);
    if (helpersOf(this.#board) > 0) {
      // On the board first, so that its compression begins while it is hashed; only this end can free the slot.
      releaseSlotAs(this.#board, slot, FILLED);
      this.#digest(bytes);
    } else {
      this.#digest(bytes);
      this.#compress(own);
    }
    this.#writeCompressed();
  }

  /** Waits for all blocks. The sink is of no use afterwards. */
  end(): LayerDigest {
    while (this.#blocks.length > 0) this.#advance();
    return { diffID: finishDigest(this.#hash), size: this.#size };
  }

  /** Gives all slots back, also those of a layer that failed. Idempotent. */
  release(): void {
    if (this.#held !== undefined) releaseSlotAs(this.#board, this.#held, FREE);
    this.#held = undefined;
    for (const block of this.#blocks.splice(0)) this.#giveUp(block);
  }

  /** What a helper has begun must end first. */
  #giveUp({ slot, isMine = false }: OwnBlock): void {
    for (;;) {
      const seen = changesOf(this.#board);
      if (moveSlot(this.#board, slot, { from: FILLED, to: FREE })) return;
      if (isMine || stateOf(this.#board, slot) === COMPRESSED) break;
      waitForChange(this.#board, { seen });
    }
    releaseSlotAs(this.#board, slot, FREE);
  }

  #compress(own: OwnBlock): void {
    own.isMine = true;
    own.output = compressSlot(this.#board, own.slot);
    releaseSlotAs(this.#board, own.slot, COMPRESSED);
  }

  #digest(bytes: Buffer): void {
    this.#hash.update(bytes);
    this.#size += bytes.length;
  }

  #takeFree(): number {
    for (;;) {
      const seen = changesOf(this.#board);
      const slot = takeSlot(this.#board, { from: FREE, to: TAKEN });
      if (slot !== undefined) return slot;
      // Other layers have them all.
      if (this.#blocks.length === 0) waitForChange(this.#board, { seen });
      else this.#advance();
    }
  }

  /** Compresses the oldest block that nobody has claimed, else waits for somebody; then writes what can be written. */
  #advance(): void {
    const seen = changesOf(this.#board);
    const unclaimed = this.#blocks.find(({ slot }) =>
      moveSlot(this.#board, slot, { from: FILLED, to: CLAIMED }),
    );
    if (unclaimed !== undefined) {
      this.#compress(unclaimed);
    } else if (!this.#isOldestDone()) {
      waitForChange(this.#board, { seen });
    }
    this.#writeCompressed();
  }

  #writeCompressed(): void {
    while (this.#isOldestDone()) {
      const { slot, output } = this.#blocks[0] as OwnBlock;
      this.#write(output ?? readOutput(this.#board, slot));
      this.#blocks.shift();
      if (output !== undefined) freeMemory(output);
      releaseSlotAs(this.#board, slot, FREE);
    }
  }

  #isOldestDone(): boolean {
    const [oldest] = this.#blocks;
    return oldest !== undefined && stateOf(this.#board, oldest.slot) === COMPRESSED;
  }
}
