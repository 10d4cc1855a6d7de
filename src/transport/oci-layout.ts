/**
 * An OCI image layout as a destination: a directory that many images and processes share.
 *
 * Blobs appear by rename, whole. The index is read, changed and replaced under a lock, so that concurrent writers keep each
 * other's tags, and it names a manifest only when all its blobs are there. Killed at any moment the layout stays valid.
 *
 * @see OCI image-spec v1.1, image-layout.md
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Digest, digestHex, finishDigest } from '../digest.ts';
import { PhylloError, reasonOf, systemErrorCode } from '../errors.ts';
import { type Blob, type Descriptor, jsonBlob } from '../image/blob.ts';
import type { Platform } from '../image/image-config.ts';
import type { ImageDocuments } from '../image/image.ts';
import { encodeIndexEntry, type IndexEntry, OCI_LAYOUT, type TagAlone } from '../image/image-manifest.ts';
import type { ImageReference } from '../image/image-reference.ts';
import { MEDIA_TYPES } from '../image/media-types.ts';
import { writeFully } from '../layer/chunk-sink.ts';
import type { StoredLayer } from '../layer/stored-layer.ts';
import type { BlobTarget, CloseOutcome, FilePlace } from './blob-target.ts';
import { withLock } from './file-lock.ts';
import { PendingFile } from './pending-file.ts';
import { removeStaleFiles } from './stale-files.ts';

const LOCK = '.phyllo.lock';
const EMPTY_INDEX = jsonBlob({ schemaVersion: 2, mediaType: MEDIA_TYPES.index, manifests: [] });
const REF_NAME = 'org.opencontainers.image.ref.name';

export type LayoutNames = readonly (ImageReference | TagAlone)[] | 'none';

export interface LayoutImage {
  /** Undefined for an index. */
  readonly platform: Platform | undefined;
  /** Perhaps none; `none`: the layout does not list it, since an index in it does. */
  readonly names: LayoutNames;
  /** Of the manifest; OCI's when absent. */
  readonly mediaType?: string;
}

export class LayoutTarget implements BlobTarget {
  readonly takes = 'files';
  readonly anyOrder = true;
  readonly #directory: string;
  readonly #image: LayoutImage;
  readonly #pending = new Map<number, PendingFile>();
  #discarded = false;

  private constructor(directory: string, image: LayoutImage) {
    this.#directory = directory;
    this.#image = image;
  }

  /**
   * Makes the directory a layout if it is none yet.
   * @throws PhylloError DESTINATION_UNWRITABLE, DISK_FULL, LAYOUT_INVALID when it holds something else
   */
  static async create(directory: string, image: LayoutImage): Promise<LayoutTarget> {
    await prepareLayout(directory);
    return new LayoutTarget(directory, image);
  }

  async has({ digest, size }: Pick<StoredLayer, 'digest' | 'size'>): Promise<boolean> {
    const stats = await stat(this.#pathOf(digest)).catch(() => undefined);
    return stats?.isFile() === true && stats.size === size;
  }

  async open(index: number): Promise<FilePlace> {
    const file = await PendingFile.create(join(this.#blobs, `layer-${index}`));
    // Where one layer fails, others may only be about to begin.
    if (this.#discarded) {
      await file.discard();
      throw new Error('the image is not written any more');
    }
    this.#pending.set(index, file);
    return { kind: 'file', file: this.#directory, fd: file.fd, offset: 0 };
  }

  async close(index: number, { digest }: Pick<StoredLayer, 'digest'>): Promise<CloseOutcome> {
    const file = this.#pending.get(index) as PendingFile;
    this.#pending.delete(index);
    await file.commit(this.#pathOf(digest));
    return 'done';
  }

  async commit({ config, manifest }: ImageDocuments): Promise<void> {
    for (const blob of [config, manifest]) await this.#writeBlob(blob);
    await this.#list({ ...this.#image, manifest });
  }

  /** Makes an index of images that are there appear under the names. */
  async commitIndex(index: Blob): Promise<void> {
    await this.#writeBlob(index);
    await this.#list({ platform: undefined, manifest: index, mediaType: MEDIA_TYPES.index });
  }

  async discard(): Promise<void> {
    this.#discarded = true;
    const files = [...this.#pending.values()];
    this.#pending.clear();
    await Promise.all(files.map((file) => file.discard()));
  }

  async #list(listed: Omit<IndexEntry, 'reference'>): Promise<void> {
    const { names } = this.#image;
    if (names === 'none') return;
    const entries = (names.length === 0 ? [undefined] : names).map((reference) =>
      encodeIndexEntry({ ...listed, reference }),
    );
    await withLock(join(this.#directory, LOCK), async () => {
      const index = await readIndex(this.#directory);
      await replaceFile(this.#index, addToIndex(index, entries).bytes);
    });
    for (const place of [this.#directory, this.#blobs]) await removeStaleFiles(place, this.#index);
  }

  async #writeBlob({ digest, bytes }: Blob): Promise<void> {
    if (await holds(this.#pathOf(digest), digest)) return;
    await replaceFile(this.#pathOf(digest), bytes);
  }

  #pathOf(digest: Digest): string {
    return join(this.#blobs, digestHex(digest));
  }

  get #index(): string {
    return join(this.#directory, 'index.json');
  }

  get #blobs(): string {
    return join(this.#directory, 'blobs', 'sha256');
  }
}

async function prepareLayout(directory: string): Promise<void> {
  try {
    await refuseOtherDirectory(directory);
    await mkdir(join(directory, 'blobs', 'sha256'), { recursive: true });
    const marker = join(directory, 'oci-layout');
    const text = await readFile(marker, 'utf8').catch(() => undefined);
    if (text === undefined) await makeLayout(directory, marker);
    else if (!text.includes('imageLayoutVersion'))
      throw layoutInvalid(directory, 'its oci-layout file is damaged');
  } catch (cause) {
    if (cause instanceof PhylloError) throw cause;
    throw new PhylloError('DESTINATION_UNWRITABLE', `cannot write ${directory}: ${reasonOf(cause)}`, {
      hint: 'the directory must be writable, or its parent so that it can be made',
      cause,
    });
  }
}

/** What a layout has while it is made, whoever makes it, and however far it came. */
const BEGINNINGS = /^(oci-layout|index\.json|blobs|\.phyllo\.lock.*|\..+\.tmp)$/;

/** A directory of something else stays as it is: a slip in its name must not fill it with blobs. */
async function refuseOtherDirectory(directory: string): Promise<void> {
  const names = await readdir(directory).catch((error: unknown): string[] => {
    if (systemErrorCode(error) === 'ENOENT') return [];
    throw error;
  });
  const other = names.includes('oci-layout') ? undefined : names.find((name) => !BEGINNINGS.test(name));
  if (other !== undefined) throw layoutInvalid(directory, `it has no oci-layout file, and has ${other}`);
}

/** The index first: with the marker the directory is a layout, and a layout has an index, whatever becomes of this build. */
async function makeLayout(directory: string, marker: string): Promise<void> {
  await withLock(join(directory, LOCK), async () => {
    const index = join(directory, 'index.json');
    if (!existsSync(index)) await replaceFile(index, EMPTY_INDEX.bytes);
    await replaceFile(marker, OCI_LAYOUT.bytes);
  });
}

interface Index {
  readonly manifests: readonly Descriptor[];
}

async function readIndex(directory: string): Promise<Index> {
  const file = join(directory, 'index.json');
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return { manifests: [] };
    throw new PhylloError('FILE_UNREADABLE', `cannot read ${file}: ${reasonOf(error)}`, { cause: error });
  }
  const index = parseIndex(text);
  if (index === undefined) throw layoutInvalid(directory, 'its index.json is damaged');
  return index;
}

function parseIndex(text: string): Index | undefined {
  try {
    const index = JSON.parse(text) as Partial<Index> | null;
    const manifests: readonly unknown[] | undefined = index?.manifests;
    const sound =
      Array.isArray(manifests) && manifests.every((entry) => typeof entry === 'object' && entry !== null);
    return sound ? (index as Index) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The new image takes its tags from whatever had them, and without one the place of itself; everything else stays as it is, fields
 * that are not ours included.
 */
function addToIndex(index: Index, entries: readonly Descriptor[]): Blob {
  const tags = new Set(entries.map(nameIn));
  const others = index.manifests.filter((entry) => !tags.has(nameIn(entry)));
  return jsonBlob({
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.index,
    ...index,
    manifests: [...others, ...entries],
  });
}

function nameIn({ annotations, digest }: Descriptor): string {
  return annotations?.[REF_NAME] ?? digest;
}

async function holds(file: string, digest: Digest): Promise<boolean> {
  const bytes = await readFile(file).catch(() => undefined);
  return bytes !== undefined && finishDigest(createHash('sha256').update(bytes)) === digest;
}

async function replaceFile(file: string, bytes: Uint8Array): Promise<void> {
  const pending = await PendingFile.create(file);
  try {
    writeFully({ file, fd: pending.fd }, bytes, 0);
    await pending.commit();
  } finally {
    await pending.discard();
  }
}

function layoutInvalid(directory: string, reason: string): PhylloError {
  return new PhylloError('LAYOUT_INVALID', `${directory} is not an OCI layout: ${reason}`, {
    hint: 'name a layout, or a directory that is empty or does not exist',
  });
}
