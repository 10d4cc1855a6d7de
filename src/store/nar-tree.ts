/** The file tree of a NAR, in tar order. */
import type { TreeVisitor } from './nar-reader.ts';
import { readNar } from './nar-file.ts';
import { spoolNar } from './nar-spool.ts';
import { inTarOrder, mayBeOvertaken } from './tree-order.ts';
import type { NarSource, TreeEntry } from './tree.ts';

/**
 * The NAR's entries in tar order. Reads the file once, to its end: it is verified.
 * @throws PhylloError NAR_INVALID, NAR_MISMATCH, FILE_UNREADABLE
 */
export async function scanNar(source: NarSource): Promise<readonly TreeEntry[]> {
  const items: { readonly entry: TreeEntry }[] = [];
  await readNar(source, { entry: (entry) => void items.push({ entry }), data: () => undefined });
  return inTarOrder(items).map(({ entry }) => entry);
}

/**
 * Tells `visitor` the NAR's entries and contents in tar order. What it is told is verified only when the promise resolves.
 *
 * The file is read once, with memory for a few chunks. Where an entry occurs that others may have to overtake, it is read
 * again from the start, its contents go to a temporary file, and the visitor is told the rest from there.
 *
 * @throws PhylloError NAR_INVALID, NAR_MISMATCH, FILE_UNREADABLE; DISK_FULL or DESTINATION_UNWRITABLE for the temporary
 *   file; and what the visitor throws, which ends the reading
 */
export async function visitNar(source: NarSource, visitor: TreeVisitor): Promise<void> {
  const start = new OrderedStart(visitor);
  await readNar(source, start, { stopped: () => start.over });
  if (!start.over) return;
  using spool = await spoolNar(source);
  spool.visit(visitor, start.told);
}

/** Passes on what comes before the first entry that may be overtaken: up to there, NAR order and tar order are the same. */
class OrderedStart implements TreeVisitor {
  readonly #visitor: TreeVisitor;
  /** Entries passed on. */
  told = 0;
  over = false;

  constructor(visitor: TreeVisitor) {
    this.#visitor = visitor;
  }

  entry(entry: TreeEntry): void {
    this.over ||= mayBeOvertaken(entry.path);
    if (this.over) return;
    this.told += 1;
    this.#visitor.entry(entry);
  }

  data(chunk: Uint8Array): void {
    if (!this.over) this.#visitor.data(chunk);
  }
}
