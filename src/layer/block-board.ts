/**
 * Blocks of layers on their way to being compressed, in memory that all worker threads share. The thread that makes a layer (its
 * *lead*) fills slots with blocks; the lead itself, and any thread that has nothing else to do, compresses them.
 *
 * A slot goes round: free, taken (its lead fills it), filled, claimed (somebody compresses it), compressed, and free again when
 * its lead has written it. Whoever changes a slot's state alone has it until the next state.
 *
 * Control words, 32 bits each: a count of changes, on which threads wait; the number of helpers at work; whether the board is
 * closed; then for each slot its state, and the bytes in its block and output.
 */
import type { Encoder } from './encoder.ts';

export const FREE = 0;
export const TAKEN = 1;
export const FILLED = 2;
export const CLAIMED = 3;
export const COMPRESSED = 4;

const CHANGES = 0;
const HELPERS = 1;
const CLOSED = 2;
const SLOTS = 3;
const WORDS_PER_SLOT = 3;

/** Plain data for a message. */
export interface BlockBoard {
  /** Number of slots. */
  readonly count: number;
  readonly encoder: Encoder;
  readonly control: Int32Array<SharedArrayBuffer>;
  readonly slots: Uint8Array<SharedArrayBuffer>;
}

/** Memory of slots that nobody fills costs nothing: the operating system gives it when it is first written. */
export function createBlockBoard(encoder: Encoder, count: number): BlockBoard {
  const words = SLOTS + count * WORDS_PER_SLOT;
  return {
    count,
    encoder,
    control: new Int32Array(new SharedArrayBuffer(words * Int32Array.BYTES_PER_ELEMENT)),
    slots: new Uint8Array(new SharedArrayBuffer(count * slotSize(encoder))),
  };
}

/** The parts of a slot, whole. */
export interface BlockSlot {
  readonly block: Buffer;
  readonly output: Buffer;
}

export function slotAt({ slots, encoder }: BlockBoard, index: number): BlockSlot {
  const { blockSize, outputSize } = encoder;
  const start = index * slotSize(encoder);
  return {
    block: Buffer.from(slots.buffer, start, blockSize),
    output: Buffer.from(slots.buffer, start + blockSize, outputSize),
  };
}

function slotSize({ blockSize, outputSize }: Encoder): number {
  return blockSize + outputSize;
}

export function stateOf({ control }: BlockBoard, index: number): number {
  return Atomics.load(control, stateWord(index));
}

/** Whether this thread is the one that brought the slot from one state to the other. */
export function moveSlot(
  { control }: BlockBoard,
  index: number,
  { from, to }: { readonly from: number; readonly to: number },
): boolean {
  return Atomics.compareExchange(control, stateWord(index), from, to) === from;
}

/** Brings a slot that this thread has to another state, and wakes whoever waits for changes. */
export function releaseSlotAs(board: BlockBoard, index: number, state: number): void {
  Atomics.store(board.control, stateWord(index), state);
  announce(board);
}

/** The first slot that could be brought from one state to the other; undefined: there was none. */
export function takeSlot(
  board: BlockBoard,
  move: { readonly from: number; readonly to: number },
): number | undefined {
  for (let index = 0; index < board.count; index += 1) if (moveSlot(board, index, move)) return index;
  return undefined;
}

/** Says that the slot's block has `length` bytes. */
export function setBlockLength({ control }: BlockBoard, index: number, length: number): void {
  control[stateWord(index) + 1] = length;
}

/** What was filled of the slot's block. */
export function readBlock(board: BlockBoard, index: number): Buffer {
  return slotAt(board, index).block.subarray(0, board.control[stateWord(index) + 1]);
}

export function writeOutput(board: BlockBoard, index: number, bytes: Uint8Array): void {
  slotAt(board, index).output.set(bytes);
  board.control[stateWord(index) + 2] = bytes.length;
}

export function readOutput(board: BlockBoard, index: number): Buffer {
  return slotAt(board, index).output.subarray(0, board.control[stateWord(index) + 2]);
}

/** What to give to `waitForChange`: taken before one looks whether there is anything to do. */
export function changesOf({ control }: BlockBoard): number {
  return Atomics.load(control, CHANGES);
}

/** Blocks until something changed since `seen`, at most `timeoutMs`. */
export function waitForChange(
  { control }: BlockBoard,
  { seen, timeoutMs }: { readonly seen: number; readonly timeoutMs?: number },
): void {
  Atomics.wait(control, CHANGES, seen, timeoutMs);
}

function announce({ control }: BlockBoard): void {
  Atomics.add(control, CHANGES, 1);
  Atomics.notify(control, CHANGES);
}

export function helpersOf({ control }: BlockBoard): number {
  return Atomics.load(control, HELPERS);
}

/** @param by 1 when one begins, -1 when it ends */
export function countHelper({ control }: BlockBoard, by: 1 | -1): void {
  Atomics.add(control, HELPERS, by);
}

export function isClosed({ control }: BlockBoard): boolean {
  return Atomics.load(control, CLOSED) === 1;
}

/** A closed board has no leads: helpers leave it. */
export function setClosed(board: BlockBoard, closed: boolean): void {
  Atomics.store(board.control, CLOSED, closed ? 1 : 0);
  announce(board);
}

function stateWord(index: number): number {
  return SLOTS + index * WORDS_PER_SLOT;
}
