/** An image in a registry, as a source: `docker://REFERENCE`. */
import { PhylloError } from '../../errors.ts';
import type { Blob } from '../../image/blob.ts';
import type { OciBlobs } from '../oci-blobs.ts';
import { readOciImage } from '../oci-image.ts';
import type { OpenedImage, OpenImageOptions } from '../source-image.ts';
import { getManifest, type StoredManifest } from './manifests.ts';
import type { Registries } from './registries.ts';
import { RegistryBlobs } from './registry-blobs.ts';
import type { RegistryClient } from './registry-client.ts';
import {
  describeRegistryReference,
  parseRegistryReference,
  type RegistryReference,
} from './registry-reference.ts';

/**
 * Reads the documents; layers are read when they are asked for.
 * @param text what follows `docker://`
 * @throws PhylloError IMAGE_REFERENCE_INVALID, DIGEST_INVALID, IMAGE_NOT_FOUND, IMAGE_AMBIGUOUS, ARCHIVE_INVALID, NETWORK_FAILED,
 * REGISTRY_FAILED, REGISTRY_UNAUTHORIZED, and what finding credentials throws
 */
export async function openRegistryImage(
  text: string,
  { registries, ...options }: OpenImageOptions & { readonly registries: Registries },
): Promise<OpenedImage> {
  const reference = withTag(parseRegistryReference(text));
  const client = registries.client(reference.host);
  const blobs = new RegistryBlobs(client, { repository: reference.repository, signal: options.signal });
  try {
    const { blob, mediaType } = await findManifest(client, { ...reference, signal: options.signal });
    const root = { mediaType, digest: blob.digest, size: blob.bytes.length };
    const image = await readOciImage([root], { ...options, reference: '', blobs: startingWith(blob, blobs) });
    return { image: { ...image, names: namesOf(reference) }, close: () => blobs[Symbol.dispose]() };
  } catch (error) {
    blobs[Symbol.dispose]();
    throw error;
  }
}

/** Who names neither a tag nor a digest means the tag that docker means. */
export function withTag(reference: RegistryReference): RegistryReference {
  const isNamed = reference.tag !== undefined || reference.digest !== undefined;
  return isNamed ? reference : { ...reference, tag: 'latest' };
}

/** @throws PhylloError IMAGE_NOT_FOUND, ARCHIVE_INVALID for one that is too old */
export async function findManifest(
  client: RegistryClient,
  { signal, ...reference }: RegistryReference & { readonly signal: AbortSignal | undefined },
): Promise<StoredManifest> {
  const { repository, tag = 'latest', digest } = reference;
  const found = await getManifest(client, { repository, reference: digest ?? tag, signal });
  const name = describeRegistryReference(reference);
  if (found === undefined)
    throw new PhylloError('IMAGE_NOT_FOUND', `there is no image ${name}`, {
      hint: 'check its name and tag; some registries say so, too, where one must log in',
    });
  if (!/\.docker\.distribution\.manifest\.v1\+/.test(found.mediaType)) return found;
  throw new PhylloError(
    'ARCHIVE_INVALID',
    `${name} has a manifest of Docker's first form, which is not supported`,
    {
      hint: 'push it again with a Docker of this decade',
    },
  );
}

/** The manifest that is known already is not asked for again. */
function startingWith(known: Blob, blobs: RegistryBlobs): OciBlobs {
  return {
    name: blobs.name,
    manifest: async (descriptor) =>
      descriptor.digest === known.digest ? known : await blobs.manifest(descriptor),
    config: async (descriptor) => await blobs.config(descriptor),
    layer: (descriptor) => blobs.layer(descriptor),
  };
}

function namesOf({ host, repository, tag }: RegistryReference): readonly string[] {
  return tag === undefined ? [] : [`${host}/${repository}:${tag}`];
}
