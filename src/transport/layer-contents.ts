/** What is in a layer, by its tar's headers: which store paths, and how many bytes each. */
import { PhylloError } from '../errors.ts';
import { BLOCK_SIZE, roundUp } from '../layer/tar-member.ts';
import { isStorePath } from '../store/store-path.ts';
import { compressionOf, decompressed } from './decompress.ts';
import type { FileSlice } from './file-slice.ts';
import type { SourceLayer } from './source-image.ts';
import { Spool } from './spool.ts';
import { readTar } from './tar-reader.ts';
import { verified } from './verified.ts';

export interface LayerContents {
  /** Bytes of the tar, uncompressed. */
  readonly tarSize: number;
  /** Bytes of each store path's members, headers included; in the order of the tar. */
  readonly pathSizes: ReadonlyMap<string, number>;
}

export interface ReadContentsOptions {
  readonly storeDir: string;
  readonly signal?: AbortSignal;
}

/** Far above any image; here ends the memory for what a tar says. */
const MAX_PATHS = 500_000;

/**
 * Files' contents are not read where they are not compressed. What a registry has is downloaded.
 * @throws PhylloError ARCHIVE_INVALID, FILE_UNREADABLE, NETWORK_FAILED, DISK_FULL, DESTINATION_UNWRITABLE
 */
export async function readLayerContents(
  { content, descriptor, diffID }: SourceLayer,
  { storeDir, signal }: ReadContentsOptions,
): Promise<LayerContents> {
  const place = await content.slice();
  if (compressionOf(place) === 'none') return listContents(place, storeDir);
  const name = `the layer ${descriptor.digest} of ${content.origin}`;
  const tar = verified(decompressed(place), { digest: diffID, what: name });
  using spool = await Spool.fill(tar, { name, ...(signal === undefined ? {} : { signal }) });
  return listContents(spool.slice, storeDir);
}

function listContents(tar: FileSlice, storeDir: string): LayerContents {
  const pathSizes = new Map<string, number>();
  let end = 0;
  for (const { header, content } of readTar(tar)) {
    const start = end;
    end = content.offset - tar.offset + roundUp(content.size, BLOCK_SIZE);
    const path = storePathOf(header.name, storeDir);
    if (path === undefined) continue;
    pathSizes.set(path, (pathSizes.get(path) ?? 0) + end - start);
    if (pathSizes.size > MAX_PATHS)
      throw new PhylloError(
        'ARCHIVE_INVALID',
        `a layer in ${tar.file} has more than ${MAX_PATHS} store paths`,
      );
  }
  return { tarSize: tar.size, pathSizes };
}

/** The store path that a member belongs to; undefined for all that is elsewhere. */
function storePathOf(name: string, storeDir: string): string | undefined {
  const path = `/${name.replace(/^(?:\.?\/)+/, '')}`;
  if (!path.startsWith(`${storeDir}/`)) return undefined;
  const slash = path.indexOf('/', storeDir.length + 1);
  const whole = slash === -1 ? path : path.slice(0, slash);
  return isStorePath(whole, storeDir) ? whole : undefined;
}
