/** Brings an image to its destinations. A layer whose digest is known, and whose blob a destination has, is not even listed. */
import { createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { describeImage, type Image, type ImageDocuments } from '../image/image.ts';
import type { ImageReference } from '../image/image-reference.ts';
import type { Compression } from '../layer/encoder.ts';
import { ArchiveFile } from './archive-file.ts';
import { streamArchive } from './archive-stream.ts';
import type { BlobTarget } from './blob-target.ts';
import { findKnown, type KnownLayer } from './known-layers.ts';
import { type LayerTools, makeBlobs, type NeededLayer } from './make-blobs.ts';
import { LayoutTarget } from './oci-layout.ts';

export type Target = FileTarget | LayoutDirectoryTarget | StreamTarget;

interface AnyTarget {
  readonly reference: ImageReference;
  /** Of the layers. */
  readonly compression: Compression;
}

export interface FileTarget extends AnyTarget {
  readonly kind: 'file';
  readonly file: string;
}

export interface LayoutDirectoryTarget extends AnyTarget {
  readonly kind: 'layout';
  readonly directory: string;
}

export interface StreamTarget extends AnyTarget {
  readonly kind: 'stream';
  /** Left open. */
  readonly output: Writable;
}

export interface Delivery {
  /** Bottom to top, as the first target has them. */
  readonly stored: readonly KnownLayer[];
  readonly documents: ImageDocuments;
  /** Layers whose bytes were made. */
  readonly made: number;
}

export interface DeliverOptions {
  /** At least one. */
  readonly targets: readonly Target[];
  readonly tools: LayerTools;
}

/**
 * Files and layouts appear whole or not at all, all of those with the same compression before the first of their streams begins.
 * @throws PhylloError DESTINATION_UNWRITABLE, DISK_FULL, FILE_CHANGED, FILE_UNREADABLE, LAYER_MISMATCH, PIPE_CLOSED
 */
export async function deliver(image: Image, { targets, tools }: DeliverOptions): Promise<Delivery> {
  const deliveries: Delivery[] = [];
  for (const group of Map.groupBy(targets, ({ compression }) => JSON.stringify(compression)).values()) {
    deliveries.push(await deliverGroup(image, { targets: group, tools }));
  }
  const made = deliveries.reduce((sum, delivery) => sum + delivery.made, 0);
  return { ...(deliveries[0] as Delivery), made };
}

/** All targets have the same compression, so that each layer is made once for all of them. */
async function deliverGroup(image: Image, { targets, tools }: DeliverOptions): Promise<Delivery> {
  const { compression } = targets[0] as Target;
  const open: BlobTarget[] = [];
  try {
    const streams = await openTargets(image, { targets, open, tools });
    const { stored, made } = await storeLayers(image, { compression, open, tools });
    const documents = describeImage(image, stored);
    for (const target of open) await target.commit(documents, stored);
    for (const { output, close, reference } of streams) {
      await streamArchive(output, { image, documents, stored, reference, compression, tools });
      await close();
    }
    return { stored, documents, made: made + streams.length * image.layers.length };
  } finally {
    await Promise.all(open.map((target) => target.discard()));
  }
}

interface OpenStream {
  readonly output: Writable;
  readonly reference: ImageReference;
  readonly close: () => Promise<void>;
}

/** Adds what must be committed or discarded to `open`, one by one, so that none is lost when the next one fails. */
async function openTargets(
  image: Image,
  { targets, open }: DeliverOptions & { readonly open: BlobTarget[] },
): Promise<OpenStream[]> {
  const streams: OpenStream[] = [];
  for (const target of targets) {
    if (target.kind === 'stream') streams.push({ ...target, close: () => Promise.resolve() });
    else if (target.kind === 'layout')
      open.push(await LayoutTarget.create(target.directory, { ...image, ...target }));
    else if (await isSpecialFile(target.file)) streams.push(openSpecialFile(target));
    else open.push(await openFile(image, target));
  }
  return streams;
}

async function openFile(image: Image, { file, reference, compression }: FileTarget): Promise<ArchiveFile> {
  const sizes = compression.kind === 'none' ? await tarSizes(image) : undefined;
  return await ArchiveFile.create(file, { image, reference, sizes });
}

/** Every place in an archive is known before a byte is read. */
async function tarSizes({ layers }: Image): Promise<number[]> {
  return await Promise.all(layers.map(async (layer) => (await layer.prepare()).size));
}

/** A pipe or device (`/dev/stdout`, a process substitution) is written to, not replaced. */
export async function isSpecialFile(file: string): Promise<boolean> {
  const stats = await stat(file).catch(() => undefined);
  return stats !== undefined && !stats.isFile() && !stats.isDirectory();
}

function openSpecialFile({ file, reference }: FileTarget): OpenStream {
  const output = createWriteStream(file);
  const close = async (): Promise<void> => {
    output.end();
    await finished(output);
  };
  return { output, reference, close };
}

interface StoreOptions {
  readonly compression: Compression;
  readonly open: readonly BlobTarget[];
  readonly tools: LayerTools;
}

async function storeLayers(
  { layers }: Image,
  { compression, open, tools }: StoreOptions,
): Promise<Pick<Delivery, 'stored' | 'made'>> {
  const asked = await Promise.all(
    layers.map(async (layer, index): Promise<NeededLayer> => {
      const known = findKnown(layer, { cache: tools.cache, compression });
      return { index, layer, known, receivers: await receiversOf(known, open) };
    }),
  );
  const needed = asked.filter(
    ({ known, receivers }) => known === undefined || receivers.length > 0 || tools.verify,
  );
  const made = await makeBlobs(needed, { compression, tools });
  const stored = asked.map((one) => made[needed.indexOf(one)] ?? (one.known as KnownLayer));
  return { stored, made: made.length };
}

async function receiversOf(
  known: KnownLayer | undefined,
  open: readonly BlobTarget[],
): Promise<BlobTarget[]> {
  if (known === undefined) return [...open];
  const lacking = await Promise.all(open.map(async (target) => !(await target.has(known))));
  return open.filter((_, i) => lacking[i]);
}
