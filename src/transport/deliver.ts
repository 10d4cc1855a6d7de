/** Brings an image to its destinations, making each layer once where its bytes can go to several at the same time. */
import { createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { describeImage, type Image, type ImageDocuments } from '../image/image.ts';
import type { ImageReference } from '../image/image-reference.ts';
import type { LayerDigest } from '../layer/layer-source.ts';
import type { LayerWorkers } from '../layer/layer-workers.ts';
import { makeLayers } from '../layer/make-layers.ts';
import { ArchiveFile } from './archive-file.ts';
import { layoutArchive } from './archive-layout.ts';
import { streamArchive } from './archive-stream.ts';

export type Target = FileTarget | StreamTarget;

export interface FileTarget {
  readonly kind: 'file';
  readonly file: string;
  readonly reference: ImageReference;
}

export interface StreamTarget {
  readonly kind: 'stream';
  /** Left open. */
  readonly output: Writable;
  readonly reference: ImageReference;
}

export interface Delivery {
  /** Bottom to top. */
  readonly digests: readonly LayerDigest[];
  readonly documents: ImageDocuments;
}

export interface DeliverOptions {
  readonly targets: readonly Target[];
  readonly workers: LayerWorkers;
}

/**
 * Files appear whole or not at all, all of them before the first stream begins.
 * @throws PhylloError DESTINATION_UNWRITABLE, DISK_FULL, FILE_CHANGED, FILE_UNREADABLE, PIPE_CLOSED
 */
export async function deliver(image: Image, { targets, workers }: DeliverOptions): Promise<Delivery> {
  const { files, streams } = await openTargets(targets);
  const delivery = await writeFiles(image, { files, workers });
  for (const { output, close, reference } of streams) {
    await streamArchive(output, { ...delivery, image, reference, workers });
    await close();
  }
  return delivery;
}

interface OpenStream {
  readonly output: Writable;
  readonly reference: ImageReference;
  readonly close: () => Promise<void>;
}

interface OpenTargets {
  readonly files: readonly FileTarget[];
  readonly streams: readonly OpenStream[];
}

async function openTargets(targets: readonly Target[]): Promise<OpenTargets> {
  const files: FileTarget[] = [];
  const streams: OpenStream[] = [];
  for (const target of targets) {
    if (target.kind === 'stream') streams.push({ ...target, close: async () => undefined });
    else if (await isSpecialFile(target.file)) streams.push(openSpecialFile(target));
    else files.push(target);
  }
  return { files, streams };
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

async function writeFiles(
  image: Image,
  { files, workers }: { readonly files: readonly FileTarget[]; readonly workers: LayerWorkers },
): Promise<Delivery> {
  const layout = layoutArchive(image.layers.map((layer) => layer.size));
  const archives: ArchiveFile[] = [];
  try {
    for (const { file, reference } of files)
      archives.push(await ArchiveFile.create(file, { layout, reference }));
    const layers = image.layers.map((layer, i) => ({
      ...layer,
      places: archives.map((archive) => archive.place(i)),
    }));
    const digests = await makeLayers(layers, workers);
    const documents = describeImage(image, digests);
    for (const archive of archives) await archive.commit(documents, { image, digests });
    return { digests, documents };
  } finally {
    await Promise.all(archives.map((archive) => archive.discard()));
  }
}
