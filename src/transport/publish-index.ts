/** Makes an index of images appear where they are. */
import type { Blob } from '../image/blob.ts';
import { familiarName, type ImageReference } from '../image/image-reference.ts';
import { MEDIA_TYPES } from '../image/media-types.ts';
import { LayoutTarget } from './oci-layout.ts';
import { headManifest, putManifest } from './registry/manifests.ts';
import type { Registries } from './registry/registries.ts';
import { parseRegistryReference } from './registry/registry-reference.ts';

export type IndexPlace = RegistryIndexPlace | LayoutIndexPlace;

export interface RegistryIndexPlace {
  readonly kind: 'registry';
  readonly reference: ImageReference;
  /** Stay open. */
  readonly registries: Registries;
}

export interface LayoutIndexPlace {
  readonly kind: 'layout';
  readonly directory: string;
  readonly reference: ImageReference;
}

/**
 * The images must be there. The index takes its tag from whatever had it. Idempotent.
 * @returns bytes that were sent
 * @throws PhylloError NETWORK_FAILED, REGISTRY_FAILED, REGISTRY_UNAUTHORIZED, DESTINATION_UNWRITABLE, DISK_FULL, LAYOUT_INVALID
 */
export async function publishIndex(
  index: Blob,
  { place, signal }: { readonly place: IndexPlace; readonly signal?: AbortSignal | undefined },
): Promise<number> {
  if (place.kind === 'registry') return await tagIndex(index, { ...place, signal });
  const { directory, reference } = place;
  const target = await LayoutTarget.create(directory, { platform: undefined, names: [reference] });
  await target.commitIndex(index);
  return 0;
}

async function tagIndex(
  index: Blob,
  { registries, reference: named, signal }: RegistryIndexPlace & { readonly signal: AbortSignal | undefined },
): Promise<number> {
  const { host, repository, tag = 'latest' } = parseRegistryReference(familiarName(named));
  const client = registries.client(host);
  const name = { repository, reference: tag, signal };
  if ((await headManifest(client, { ...name, forPush: true }))?.digest === index.digest) return 0;
  await putManifest(client, { ...name, blob: index, mediaType: MEDIA_TYPES.index });
  return index.bytes.length;
}
