/** What is attached to an image where it is. */
import type { Digest } from '../digest.ts';
import type { Descriptor } from '../image/blob.ts';
import { isRegistryImage } from './image-source.ts';
import { headManifest } from './registry/manifests.ts';
import { listReferrers } from './registry/referrers.ts';
import type { Registries } from './registry/registries.ts';
import { parseRegistryReference } from './registry/registry-reference.ts';
import type { SourceImage } from './source-image.ts';

/** An artifact's manifest. */
export interface Referrer extends Descriptor {
  /** Of the image's manifest, or of the index that led to it. */
  readonly subject: Digest;
}

/**
 * Of an image in a registry; none elsewhere.
 * @throws PhylloError NETWORK_FAILED, REGISTRY_FAILED, REGISTRY_UNAUTHORIZED, ARCHIVE_INVALID
 */
export async function referrersOf(
  { origin, manifest }: Pick<SourceImage, 'origin' | 'manifest'>,
  { registries, signal }: { readonly registries: Registries; readonly signal?: AbortSignal | undefined },
): Promise<readonly Referrer[]> {
  if (!isRegistryImage(origin) || manifest === undefined) return [];
  const {
    host,
    repository,
    tag = 'latest',
    digest,
  } = parseRegistryReference(origin.slice('docker://'.length));
  const client = registries.client(host);
  const root = digest ?? (await headManifest(client, { repository, reference: tag, signal }))?.digest;
  const subjects = new Set([...(root === undefined ? [] : [root]), manifest.blob.digest]);
  const lists = [...subjects].map(async (subject) =>
    (await listReferrers(client, { repository, digest: subject, signal })).map((one) => ({
      ...one,
      subject,
    })),
  );
  return (await Promise.all(lists)).flat();
}
