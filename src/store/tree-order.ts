/**
 * Where a NAR's order of entries and the tar's can disagree.
 *
 * A NAR sorts a directory's names by byte, the tar by code point with each invalid byte taken as U+DC80 to U+DCFF
 * (`compareNames`). UTF-8 keeps the order of code points, so the two agree on valid names. They can disagree where one of
 * two names has an invalid byte and the other a character in its place: and then the first of them in byte order, the one
 * that is overtaken, has either the invalid byte or a character above the surrogates.
 */
import { compareNames, surrogateEscape, type TreeEntry } from './tree.ts';

const NON_ASCII = /[\x80-\xff]/;
const FIRST_ESCAPE = 0xdc80;

/** Whether an entry that follows this one in a NAR may come before it in a tar. Rarely true. @param path latin1 */
export function mayBeOvertaken(path: string): boolean {
  return NON_ASCII.test(path) && surrogateEscape(path).some((codePoint) => codePoint >= FIRST_ESCAPE);
}

/** Sorts the entries of one tree into tar order: depth first, each directory's names as `compareNames` orders them. */
export function inTarOrder<T extends { readonly entry: TreeEntry }>(items: readonly T[]): readonly T[] {
  if (!items.some(({ entry }) => mayBeOvertaken(entry.path))) return items;
  return items
    .map((item) => ({ item, names: item.entry.path === '' ? [] : item.entry.path.split('/') }))
    .sort((left, right) => compareNameLists(left.names, right.names))
    .map(({ item }) => item);
}

/** A directory comes before what is in it. */
function compareNameLists(left: readonly string[], right: readonly string[]): number {
  const at = left.findIndex((name, index) => name !== right[index]);
  const name = left[at];
  const other = right[at];
  if (name === undefined) return left.length - right.length;
  return other === undefined ? 1 : compareNames(name, other);
}
