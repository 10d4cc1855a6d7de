/**
 * The order of texts: ascending by code point, as Nix and every other tool sort.
 *
 * `<` goes by code unit, which differs beyond U+D7FF alone, and is many times as fast: texts without such units are sorted by it.
 */

/** Of code units from here on `<` is not to be trusted: surrogates stand for code points above all others. */
const BEYOND = /[\ud800-\uffff]/;

export function compareText(a: string, b: string): number {
  const shorter = Math.min(a.length, b.length);
  let at = 0;
  while (at < shorter && a.charCodeAt(at) === b.charCodeAt(at)) at++;
  if (at === shorter) return a.length - b.length;
  return orderOfUnit(a.charCodeAt(at)) - orderOfUnit(b.charCodeAt(at));
}

/** A new array, ascending. */
export function sortTexts<T extends string>(texts: Iterable<T>): T[] {
  const sorted = [...texts];
  return sorted.some((text) => BEYOND.test(text)) ? sorted.sort(compareText) : sorted.sort();
}

/** For each text its place in their order, which equal texts share: whoever compares often compares these. */
export function rankTexts(texts: readonly string[]): Int32Array {
  const rankOf = new Map(sortTexts(new Set(texts)).map((text, rank) => [text, rank]));
  return Int32Array.from(texts, (text) => rankOf.get(text)!);
}

function orderOfUnit(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}
