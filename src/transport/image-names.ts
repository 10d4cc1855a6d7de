/** Names of images as archives and layouts have them, where `alpine:3` and `docker.io/library/alpine:3` are the same. */
import { PhylloError } from '../errors.ts';
import { type ImageReference, parseImageReference, qualifiedName } from '../image/image-reference.ts';

export function isSameName(left: string, right: string): boolean {
  return left === right || normalised(left) === normalised(right);
}

/** Undefined where the text is a tag alone, or no name. */
export function referenceOf(name: string): ImageReference | undefined {
  if (!name.includes(':')) return undefined;
  try {
    const { name: full, tag } = parseImageReference(name, { tag: 'latest' });
    return { name: full.replace(/^docker\.io\/(library\/)?/, ''), tag };
  } catch (error) {
    if (error instanceof PhylloError) return undefined;
    throw error;
  }
}

function normalised(text: string): string {
  try {
    return qualifiedName(parseImageReference(text, { tag: 'latest' }));
  } catch (error) {
    if (error instanceof PhylloError) return text;
    throw error;
  }
}
