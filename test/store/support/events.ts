/** A visitor that keeps what it is told. */
import type { TreeVisitor } from '../../../src/store/nar-reader.ts';
import type { TreeEntry } from '../../../src/store/tree.ts';

/** An entry with a file's contents, latin1, whatever chunks they came in. */
export interface ToldEntry {
  readonly entry: TreeEntry;
  contents: string;
}

export class EventLog implements TreeVisitor {
  readonly told: ToldEntry[] = [];

  entry(entry: TreeEntry): void {
    this.told.push({ entry, contents: '' });
  }

  data(chunk: Uint8Array): void {
    const last = this.told.at(-1);
    if (last?.entry.kind !== 'file' || chunk.length === 0) throw new Error('contents out of place');
    last.contents += Buffer.from(chunk).toString('latin1');
  }

  paths(): readonly string[] {
    return this.told.map(({ entry }) => entry.path);
  }
}
