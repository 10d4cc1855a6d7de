/**
 * Store paths that an image's config mentions, wherever in it: they belong into the image.
 *
 * A *mention* is the store directory, a slash, a hash part and a dash, anywhere in a string. Where the path's name ends
 * cannot be told from the text alone (`/nix/store/…-hello-2.12.` at the end of a sentence), so a mention is resolved by its
 * hash part, and the name that it must begin with comes from the store.
 */
import { PhylloError } from '../errors.ts';
import { ascending } from './closure.ts';
import { listed } from './listed.ts';
import { isHashPart, storePathName, type StorePath } from './store-path.ts';
import type { Store } from './store.ts';

export interface Mention {
  readonly hashPart: string;
  /** As written, up to the first character that no name has; what follows the name may be in it. */
  readonly text: string;
  /** `config.Env[2]`, `config.Volumes["/data"]`; empty when the value is itself a string. A key's place is its value's. */
  readonly place: string;
}

interface PlacedValue {
  readonly place: string;
  readonly value: unknown;
}

const HASH_LENGTH = 32;
const NAME_CHARACTERS = /[0-9a-zA-Z+\-._?=]*/y;
const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]*$/;
const MAX_UNKNOWN = 20;

/**
 * In the order of `value`, a key before what it holds; a hash part once for each place. Linear in the length of the text.
 * @param value what `JSON.parse` gives
 */
export function findMentions(value: unknown, storeDir: string): readonly Mention[] {
  const mentions: (readonly Mention[])[] = [];
  // A stack of our own, last in first out, since JSON may nest deeper than calls can.
  const stack: PlacedValue[] = [{ place: '', value }];
  for (let item = stack.pop(); item !== undefined; item = stack.pop()) {
    if (typeof item.value === 'string') mentions.push(mentionsIn(item.value, item.place, storeDir));
    else for (const child of children(item).toReversed()) stack.push(child);
  }
  return withoutRepeats(mentions.flat());
}

/**
 * The paths that the mentions name, ascending, each once.
 * @throws PhylloError MENTION_UNKNOWN, which lists every mention of a path that the store has not
 */
export async function resolveMentions(
  mentions: readonly Mention[],
  store: Pick<Store, 'findByHashPart'>,
): Promise<StorePath[]> {
  const hashParts = [...new Set(mentions.map(({ hashPart }) => hashPart))];
  const found = await Promise.all(hashParts.map((hashPart) => store.findByHashPart(hashPart)));
  const paths = new Map(hashParts.map((hashPart, index) => [hashPart, found[index]]));
  const unknown = mentions.filter((mention) => !names(mention, paths.get(mention.hashPart)));
  if (unknown.length > 0) throw unknownMentions(unknown);
  return ascending(Iterator.from(paths.values()).filter((path) => path !== undefined));
}

/** What an array or object holds, each key as a string of its own before its value. */
function children({ place, value }: PlacedValue): readonly PlacedValue[] {
  if (Array.isArray(value))
    return value.map((item: unknown, index) => ({ place: `${place}[${index}]`, value: item }));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => {
    const itemPlace =
      place + (IDENTIFIER.test(key) ? `${place === '' ? '' : '.'}${key}` : `[${JSON.stringify(key)}]`);
    return [
      { place: itemPlace, value: key },
      { place: itemPlace, value: item as unknown },
    ];
  });
}

function mentionsIn(text: string, place: string, storeDir: string): readonly Mention[] {
  const start = `${storeDir}/`;
  const mentions: Mention[] = [];
  for (let at = text.indexOf(start); at >= 0; at = text.indexOf(start, at + start.length)) {
    const nameStart = at + start.length + HASH_LENGTH + 1;
    const hashPart = text.slice(at + start.length, nameStart - 1);
    if (!isHashPart(hashPart) || text[nameStart - 1] !== '-') continue;
    mentions.push({ hashPart, text: text.slice(at, endOfName(text, nameStart)), place });
  }
  return mentions;
}

function endOfName(text: string, start: number): number {
  NAME_CHARACTERS.lastIndex = start;
  NAME_CHARACTERS.test(text);
  return NAME_CHARACTERS.lastIndex;
}

function withoutRepeats(mentions: readonly Mention[]): readonly Mention[] {
  const byPlace = new Map<string, Mention>();
  for (const mention of mentions) {
    const key = `${mention.hashPart} ${mention.place}`;
    if (!byPlace.has(key)) byPlace.set(key, mention);
  }
  return [...byPlace.values()];
}

/** Whether the text after the hash begins with the path's own name. */
function names({ text, hashPart }: Mention, path: StorePath | undefined): boolean {
  if (path === undefined) return false;
  const name = text.slice(text.indexOf(`/${hashPart}-`) + 1 + HASH_LENGTH + 1);
  return name.startsWith(storePathName(path));
}

function unknownMentions(mentions: readonly Mention[]): PhylloError {
  const all = mentions.map(({ text, place }) => (place === '' ? text : `${text} (in ${place})`));
  return new PhylloError(
    'MENTION_UNKNOWN',
    `the image mentions store paths that the store has not: ${listed(all, { most: MAX_UNKNOWN })}`,
    { hint: 'build them, correct the text, or name the store that has them with --store' },
  );
}
