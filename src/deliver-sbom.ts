/** Bills of materials where they belong: in files, and beside the images that they are about. */
import { billOfBuild, type BuiltForBill, type DescribedBill } from './describe-bill.ts';
import type { Digest } from './digest.ts';
import type { Blob } from './image/blob.ts';
import { familiarName } from './image/image-reference.ts';
import { MEDIA_TYPES } from './image/media-types.ts';
import { encodeBill, SBOM_MEDIA_TYPES, type SbomFormat } from './sbom/encode-bill.ts';
import type { Delivery } from './transport/deliver.ts';
import type { RegistryRepositoryTarget, Target } from './transport/target.ts';
import { parseRegistryReference } from './transport/registry/registry-reference.ts';
import { pushArtifact } from './transport/registry/push-artifact.ts';
import { writeToFile } from './transport/write-bytes.ts';

export interface SbomRequest {
  readonly format: SbomFormat;
  /** Gets the bill of the image as the first target has it. */
  readonly file?: string | undefined;
}

export interface DeliveredSbom {
  readonly format: SbomFormat;
  /** At registries, in the order of the targets there. */
  readonly attached: readonly AttachedSbom[];
  /** What it does not say, one sentence each. */
  readonly gaps: readonly string[];
}

export interface AttachedSbom {
  /** What it is about, with host and tag. */
  readonly name: string;
  /** Of the artifact's manifest, whose subject the image's is. */
  readonly digest: Digest;
}

export interface DeliverSbomOptions extends BuiltForBill {
  readonly delivery: Delivery;
  /** Those of the delivery. */
  readonly targets: readonly Target[];
  readonly signal?: AbortSignal | undefined;
}

/**
 * After the image: what the bill is about is there when somebody finds the bill.
 * @throws PhylloError DESTINATION_UNWRITABLE, DISK_FULL, NETWORK_FAILED, REGISTRY_FAILED, REGISTRY_UNAUTHORIZED; the signal's reason
 */
export async function deliverSbom(
  { format, file }: SbomRequest,
  { targets, ...options }: DeliverSbomOptions,
): Promise<DeliveredSbom> {
  const { delivery, signal } = options;
  const [{ reference }] = targets as readonly [Target, ...Target[]];
  const first = billOfBuild({ reference, digest: delivery.manifestDigest }, options);
  if (file !== undefined) await writeSbom(first, { format, file, signal });
  const attached: AttachedSbom[] = [];
  const repositories = targets.filter((target) => target.kind === 'registry');
  for (const target of repositories) attached.push(await attach(target, { format, ...options }));
  return { format, attached, gaps: first.gaps };
}

async function attach(
  { reference, registries, isPart = false }: RegistryRepositoryTarget,
  { format, ...options }: Omit<DeliverSbomOptions, 'targets'> & Pick<SbomRequest, 'format'>,
): Promise<AttachedSbom> {
  const { host, repository, tag } = parseRegistryReference(familiarName(reference));
  const name = isPart ? `${host}/${repository}` : `${host}/${repository}:${tag}`;
  const pushed = options.delivery.pushed.find((one) => one.name === name);
  if (pushed === undefined) throw new TypeError(`${name} was not pushed`);
  const { digest, size } = pushed;
  const blob = await encodeBill(billOfBuild({ reference, digest }, options).bill, format);
  const mediaType = SBOM_MEDIA_TYPES[format];
  const artifact = await pushArtifact(registries.client(host), {
    repository,
    artifactType: mediaType,
    blobs: [{ ...blob, mediaType }],
    subject: { mediaType: MEDIA_TYPES.manifest, digest, size },
    signal: options.signal,
  });
  return { name, digest: artifact.digest };
}

export interface WriteSbomOptions {
  readonly format: SbomFormat;
  readonly file: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The file appears whole or not at all.
 * @throws PhylloError DESTINATION_UNWRITABLE, DISK_FULL; the signal's reason
 */
export async function writeSbom({ bill }: DescribedBill, options: WriteSbomOptions): Promise<Blob> {
  const { format, file, signal } = options;
  const blob = await encodeBill(bill, format);
  await writeToFile(file, chunksOf(blob), signal === undefined ? {} : { signal });
  return blob;
}

async function* chunksOf({ bytes }: Blob): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes;
}
