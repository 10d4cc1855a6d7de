/** The file tree of a NAR, in tar order. */
import type { TreeVisitor } from './nar-reader.ts';
import { readNar } from './nar-file.ts';
import { NarSpool } from './nar-spool.ts';
import { inTarOrder, mayBeOvertaken } from './tree-order.ts';
import type { NarSource, TreeEntry } from './tree.ts';

/**
 * The NAR's entries in tar order. Reads the file once, to its end: it is verified.
 * @throws as readNar
 */
export async function scanNar(source: NarSource): Promise<readonly TreeEntry[]> {
  const items: { readonly entry: TreeEntry }[] = [];
  await readNar(source, { entry: (entry) => void items.push({ entry }), data: () => undefined });
  return inTarOrder(items).map(({ entry }) => entry);
}

/**
 * Tells `visitor` the NAR's entries and contents in tar order. What it is told is verified only when the promise resolves.
 *
 * The NAR is read once, with memory for a few chunks. From an entry on that others may have to overtake, contents go to a
 * temporary file, and the visitor is told the rest from there.
 *
 * @throws as readNar; PhylloError DISK_FULL or DESTINATION_UNWRITABLE for the temporary file
 */
export async function visitNar(source: NarSource, visitor: TreeVisitor): Promise<void> {
  using ordering = new Ordering(visitor);
  await readNar(source, ordering);
  ordering.finish();
}

/** Up to the first entry that may be overtaken, NAR order and tar order are the same. The rest is laid by. */
class Ordering implements TreeVisitor, Disposable {
  readonly #visitor: TreeVisitor;
  #spool: NarSpool | undefined;

  constructor(visitor: TreeVisitor) {
    this.#visitor = visitor;
  }

  entry(entry: TreeEntry): void {
    if (this.#spool === undefined && mayBeOvertaken(entry.path)) this.#spool = new NarSpool();
    (this.#spool ?? this.#visitor).entry(entry);
  }

  data(chunk: Uint8Array): void {
    (this.#spool ?? this.#visitor).data(chunk);
  }

  finish(): void {
    this.#spool?.visit(this.#visitor);
  }

  [Symbol.dispose](): void {
    this.#spool?.[Symbol.dispose]();
  }
}
