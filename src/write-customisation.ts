/** An image's customisation layer alone, as a tar: made where commands may run, used where they need not. */
import { WorkDirectory } from './customise/work-directory.ts';
import { type Customisation, customiseFirst, customiseImage } from './customise-image.ts';
import type { ImageSettings } from './image/image-settings.ts';
import type { LayerDigest } from './layer/layer-source.ts';
import { LayerWorkers } from './layer/layer-workers.ts';
import { ListedPaths } from './listed-paths.ts';
import { readRoots, storeContents } from './plan-image.ts';
import { NarKeeper } from './store/nar-keeper.ts';
import type { Store } from './store/store.ts';
import { PendingFile } from './transport/pending-file.ts';

export interface WriteCustomisationOptions {
  /** Stays open; whoever opened it closes it. */
  readonly store: Store;
  /** Appears whole or not at all. */
  readonly file: string;
  readonly signal?: AbortSignal | undefined;
}

export interface WrittenCustomisation extends LayerDigest {
  /** One sentence each. */
  readonly warnings: readonly string[];
}

/** @throws PhylloError as `buildImage` for what concerns this layer, and DESTINATION_UNWRITABLE, DISK_FULL; the signal's reason */
export async function writeCustomisation(
  settings: ImageSettings,
  { store, file, signal }: WriteCustomisationOptions,
): Promise<WrittenCustomisation> {
  signal?.throwIfAborted();
  const workers = new LayerWorkers(1);
  const work = new WorkDirectory();
  const stop = (): void => void workers.close();
  signal?.addEventListener('abort', stop, { once: true });
  try {
    const keeper = new NarKeeper(() => work.path);
    const listed = new ListedPaths({ ...settings, store, workers, keeper });
    using first = await customiseFirst(settings, { store, listed, work, signal });
    const made = first ?? (await customiseLinks(settings, { store, listed }));
    return { ...(await write(made, { file, workers })), warnings: made.warnings };
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener('abort', stop);
    await workers.close();
    work.remove();
  }
}

async function customiseLinks(
  settings: ImageSettings,
  { store, listed }: { readonly store: Store; readonly listed: ListedPaths },
): Promise<Customisation> {
  const contents = storeContents(readRoots(settings, store.storeDir));
  await store.closure(contents);
  return await customiseImage(contents, listed);
}

async function write(
  { source }: Customisation,
  { file, workers }: { readonly file: string; readonly workers: LayerWorkers },
): Promise<LayerDigest> {
  const pending = await PendingFile.create(file);
  try {
    const places = [{ file, fd: pending.fd, offset: 0 }];
    const digest = await workers.run({ kind: 'write', layer: source, places });
    await pending.commit();
    return digest;
  } finally {
    await pending.discard();
  }
}
