/**
 * Names of images: `[HOST[:PORT]/]PATH:TAG`.
 *
 * @see distribution/reference, "Grammar"; OCI distribution-spec v1.1, "Pulling manifests"
 */
import { PhylloError } from '../errors.ts';

export interface ImageReference {
  /** As written, in lower case: `hello`, `ghcr.io/me/hello`. */
  readonly name: string;
  readonly tag: string;
}

const COMPONENT = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const HOST = '(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::[0-9]+)?|\\[[0-9a-f:]+\\](?::[0-9]+)?)';
const NAME = new RegExp(`^(?:${HOST}/)?${COMPONENT}(?:/${COMPONENT})*$`);
const TAG = /^\w[\w.-]{0,127}$/;
const MAX_NAME_LENGTH = 255;

/**
 * The name in lower case, as dockerTools has it.
 * @throws PhylloError IMAGE_REFERENCE_INVALID
 */
export function parseImageName(text: string): string {
  const name = text.toLowerCase();
  if (name.length <= MAX_NAME_LENGTH && NAME.test(name)) return name;
  throw new PhylloError('IMAGE_REFERENCE_INVALID', `not an image name: ${JSON.stringify(text)}`, {
    hint: 'a name looks like hello or registry.example/team/hello; its tag is given apart',
  });
}

/** @throws PhylloError IMAGE_REFERENCE_INVALID */
export function parseTag(text: string): string {
  if (TAG.test(text)) return text;
  throw new PhylloError('IMAGE_REFERENCE_INVALID', `not a tag: ${JSON.stringify(text)}`, {
    hint: 'a tag has at most 128 letters, digits and _.- and begins with none of the last two',
  });
}

/**
 * `NAME[:TAG]`; the tag stays `tag` where the text has none.
 * @throws PhylloError IMAGE_REFERENCE_INVALID
 */
export function parseImageReference(text: string, { tag }: { readonly tag: string }): ImageReference {
  const colon = text.indexOf(':', text.lastIndexOf('/') + 1);
  if (colon === -1) return { name: parseImageName(text), tag };
  return { name: parseImageName(text.slice(0, colon)), tag: parseTag(text.slice(colon + 1)) };
}

/** As Docker's users write it: `hello:1`. */
export function familiarName({ name, tag }: ImageReference): string {
  return `${name}:${tag}`;
}

/** With registry and namespace: `docker.io/library/hello:1`. */
export function qualifiedName({ name, tag }: ImageReference): string {
  const first = name.split('/')[0] as string;
  const hasHost = name.includes('/') && (/[.:]/.test(first) || first === 'localhost');
  if (hasHost) return `${name}:${tag}`;
  return `docker.io/${name.includes('/') ? '' : 'library/'}${name}:${tag}`;
}
