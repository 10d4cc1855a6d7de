/**
 * The customisation layer as nixpkgs' streamer finds it: a directory with `layer.tar`, and `checksum` with its digest.
 *
 * The streamer shows `layer.tar` in its archive with the mode and owner that the file has on disk.
 */
import { readFileSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import type { Digest } from '../digest.ts';
import { PhylloError, reasonOf } from '../errors.ts';
import { LAYER_MEDIA_TYPES } from '../image/media-types.ts';
import type { ImageLayer } from '../image/image.ts';
import type { DockerToolsEntry } from './dockertools-archive.ts';

export interface CustomisationFile extends AsyncDisposable {
  /** Of no use once the file is closed. */
  readonly layer: ImageLayer;
  readonly entry: DockerToolsEntry;
}

/**
 * Whoever opens it closes it. That the file has the digest is seen when it is copied.
 * @throws PhylloError FILE_UNREADABLE, IMAGE_INVALID
 */
export async function openCustomisation(directory: string): Promise<CustomisationFile> {
  const diffID = readChecksum(`${directory}/checksum`);
  const file = `${directory}/layer.tar`;
  const handle = await reading(file, () => open(file, 'r'));
  try {
    const { mode, uid, gid, size } = await reading(file, () => handle.stat());
    const [uname, gname] = [nameOf('/etc/passwd', uid), nameOf('/etc/group', gid)];
    return {
      layer: layerOf(handle, { file, size, diffID }),
      entry: { mode: mode & 0o7777, uid, gid, uname, gname },
      [Symbol.asyncDispose]: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

function layerOf(
  { fd }: FileHandle,
  { file, size, diffID }: { readonly file: string; readonly size: number; readonly diffID: Digest },
): ImageLayer {
  const source = { kind: 'base', file, fd, offset: 0, size } as const;
  return {
    kind: 'customisation',
    label: 'customisation',
    history: { comment: `customisation layer ${file}` },
    key: undefined,
    blob: { diffID, tarSize: size, digest: diffID, size, mediaType: LAYER_MEDIA_TYPES.none },
    prepare: () => Promise.resolve({ source, size, warnings: [] }),
  };
}

function readChecksum(file: string): Digest {
  const text = readText(file).trim();
  if (/^[0-9a-f]{64}$/.test(text)) return `sha256:${text}` as Digest;
  throw new PhylloError('IMAGE_INVALID', `${file} does not hold the 64 hex digits of a sha256`, {
    hint: 'build the customisation layer again',
  });
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw unreadable(file, cause);
  }
}

async function reading<T>(file: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    throw unreadable(file, cause);
  }
}

function unreadable(file: string, cause: unknown): PhylloError {
  return new PhylloError('FILE_UNREADABLE', `cannot read ${file}: ${reasonOf(cause)}`, { cause });
}

/** '' for who is not in the file, which need not be there. @see passwd(5), group(5) */
function nameOf(file: string, id: number): string {
  try {
    const fields = readFileSync(file, 'utf8')
      .split('\n')
      .map((line) => line.split(':'));
    return fields.find(([, , each]) => each === String(id))?.[0] ?? '';
  } catch {
    return '';
  }
}
