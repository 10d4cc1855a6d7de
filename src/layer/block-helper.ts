/** Compresses blocks of layers that other threads make. Never on the main thread: it blocks. */
import {
  type BlockBoard,
  changesOf,
  CLAIMED,
  COMPRESSED,
  countHelper,
  FILLED,
  isClosed,
  readBlock,
  releaseSlotAs,
  takeSlot,
  waitForChange,
  writeOutput,
} from './block-board.ts';
import { makingContexts } from '../compression/native-context.ts';
import { compressBlock } from './encoder.ts';
import { freeMemory } from '../compression/spent-memory.ts';

/** How long other work for this thread waits while there is no block. */
const LOOK_MS = 20;

/** Until the board is closed or `isWanted`: there is other work for this thread. */
export function helpCompress(board: BlockBoard, isWanted: () => boolean): void {
  countHelper(board, 1);
  try {
    while (!isClosed(board) && !isWanted()) {
      const seen = changesOf(board);
      const slot = takeSlot(board, { from: FILLED, to: CLAIMED });
      if (slot === undefined) {
        waitForChange(board, { seen, timeoutMs: LOOK_MS });
        continue;
      }
      compressInto(board, slot);
    }
  } finally {
    countHelper(board, -1);
  }
}

/** What cannot be compressed here is left to the lead, which then fails for it. */
function compressInto(board: BlockBoard, slot: number): void {
  let state: number = FILLED;
  try {
    const output = compressSlot(board, slot);
    writeOutput(board, slot, output);
    freeMemory(output);
    state = COMPRESSED;
  } finally {
    releaseSlotAs(board, slot, state);
  }
}

/** The slot's block, compressed, in memory of its own. */
export function compressSlot(board: BlockBoard, index: number): Uint8Array {
  return makingContexts(() => compressBlock(board.encoder, readBlock(board, index)));
}
