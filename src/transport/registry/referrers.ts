/** What refers to a manifest: signatures, bills of materials and whatever else is attached to images. @see OCI distribution-spec v1.1, "Listing Referrers" */
import { PhylloError } from '../../errors.ts';
import type { HttpResponse } from '../../http/http-response.ts';
import { resolveLocation } from '../../http/redirect.ts';
import type { Descriptor } from '../../image/blob.ts';
import { type IndexEntry, parseIndex, toDescriptor } from '../../image/image-documents.ts';
import { MAX_MANIFEST_BYTES } from './manifests.ts';
import { readReferrersTag, type Subject } from './referrers-tag.ts';
import type { RegistryClient } from './registry-client.ts';
import { registryError } from './registry-error.ts';
import { pullScope, repositoryPath } from './repository-paths.ts';

export interface ReferrersQuery extends Subject {
  /** Those of this type alone. */
  readonly artifactType?: string | undefined;
}

/** What registries answer that do not know the question. */
const UNKNOWN: ReadonlySet<number> = new Set([400, 404, 405, 406, 501]);
const MAX_PAGES = 100;

/**
 * Each once. They are what the registry says: whoever believes one reads its manifest, which names its subject.
 * @throws PhylloError NETWORK_FAILED, REGISTRY_FAILED, REGISTRY_UNAUTHORIZED, ARCHIVE_INVALID
 */
export async function listReferrers(
  client: RegistryClient,
  { artifactType, ...subject }: ReferrersQuery,
): Promise<readonly Descriptor[]> {
  const entries = (await askForReferrers(client, subject)) ?? (await readReferrersTag(client, subject));
  const unique = new Map(entries.map((entry) => [entry.digest, toDescriptor(entry)]));
  // A filter of the registry's would be an offer, not a promise.
  return [...unique.values()].filter(
    (found) => artifactType === undefined || found.artifactType === artifactType,
  );
}

/** Undefined where the registry does not list them. */
async function askForReferrers(
  client: RegistryClient,
  { repository, digest, signal }: Subject,
): Promise<readonly IndexEntry[] | undefined> {
  const what = `the list of referrers of ${client.host}/${repository}@${digest}`;
  const entries: IndexEntry[] = [];
  let next: string | URL | undefined = repositoryPath(repository, `referrers/${digest}`);
  for (let page = 1; next !== undefined; page += 1) {
    if (page > MAX_PAGES) throw new PhylloError('ARCHIVE_INVALID', `${what} has too many pages`);
    const response: HttpResponse = await client.send({ to: next, scopes: [pullScope(repository)], signal });
    if (page === 1 && UNKNOWN.has(response.status)) {
      await response.discard();
      return undefined;
    }
    if (response.status !== 200) throw await registryError(response, `cannot read ${what}`);
    entries.push(...parseIndex(await response.bytes(MAX_MANIFEST_BYTES), what));
    next = nextPage(response);
  }
  return entries;
}

/** @see RFC 8288; OCI distribution-spec v1.1, "Listing Referrers" */
function nextPage(response: HttpResponse): URL | undefined {
  const links = response.header('link') ?? '';
  const [, target] = /<([^>]*)>\s*;(?:[^,<]*;)?\s*rel="?next"?/i.exec(links) ?? [];
  return target === undefined ? undefined : resolveLocation(target, response.url);
}
