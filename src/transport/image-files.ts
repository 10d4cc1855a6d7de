/** The files that an image consists of: in an archive, compressed or not, or in a directory. */
import { closeSync, constants, createReadStream, fstatSync, openSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { PhylloError, reasonOf, systemErrorCode } from '../errors.ts';
import type { ForeignHeader } from '../layer/foreign-header.ts';
import { compressionOf, decompressed } from './decompress.ts';
import type { FileSlice } from './file-slice.ts';
import { Spool, type SpoolOptions } from './spool.ts';
import { type ForeignMember, readTar } from './tar-reader.ts';

export interface ImageFiles extends Disposable {
  /** Name for messages. */
  readonly name: string;
  /**
   * The file at `path` (components joined by `/`), links followed; undefined when there is none.
   * @throws PhylloError ARCHIVE_INVALID for links that lead nowhere; FILE_UNREADABLE
   */
  find(path: string): ImageFile | undefined;
}

export interface ImageFile {
  readonly content: FileSlice;
  /** In an archive: the header of the member that has the content. */
  readonly header: ForeignHeader | undefined;
}

/** An image has some hundred members; this is where memory for what their headers say ends. */
const MAX_INDEX_BYTES = 64 * 1024 * 1024;
const MEMBER_OVERHEAD = 500;
const MAX_LINKS = 40;

/**
 * The caller disposes of what it gets. A file that is compressed, or a pipe, is laid by in a temporary file.
 * @throws PhylloError FILE_UNREADABLE, ARCHIVE_INVALID, and what a spool throws
 */
export async function openImageFiles(
  path: string,
  options: Omit<SpoolOptions, 'name'> = {},
): Promise<ImageFiles> {
  const kind = await stat(path).catch((cause: unknown) => {
    throw unreadable(path, cause);
  });
  if (kind.isDirectory()) return new DirectoryFiles(path);
  if (!kind.isFile()) return await openStreamedFiles(piped(path), { ...options, name: path });
  const file = openRegular(path);
  try {
    if (compressionOf(file) === 'none') return new ArchiveFiles(file, () => closeSync(file.fd));
  } catch (error) {
    closeSync(file.fd);
    throw error;
  }
  return await openCompressed(file, options);
}

/**
 * An archive that comes as a stream: laid by in a temporary file.
 * @throws as openImageFiles, and what `chunks` throws
 */
export async function openStreamedFiles(
  chunks: AsyncIterable<Uint8Array>,
  options: SpoolOptions,
): Promise<ImageFiles> {
  return await openSpooled(await Spool.fill(chunks, options), options);
}

async function openSpooled(spool: Spool, options: Omit<SpoolOptions, 'name'>): Promise<ImageFiles> {
  if (compressionOf(spool.slice) !== 'none') return await openCompressed(spool.slice, options);
  return indexed(spool);
}

/** Closes the compressed file, which is of no more use. */
async function openCompressed(file: FileSlice, options: Omit<SpoolOptions, 'name'>): Promise<ImageFiles> {
  try {
    return indexed(await Spool.fill(decompressed(file), { ...options, name: file.file }));
  } finally {
    closeSync(file.fd);
  }
}

function indexed(spool: Spool): ImageFiles {
  try {
    return new ArchiveFiles(spool.slice, () => spool[Symbol.dispose]());
  } catch (error) {
    spool[Symbol.dispose]();
    throw error;
  }
}

async function* piped(path: string): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* createReadStream(path);
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

/** An index of the archive's members; where a name is repeated, the last one counts, as for whoever unpacks it. */
class ArchiveFiles implements ImageFiles {
  readonly name: string;
  readonly #members = new Map<string, ForeignMember>();
  readonly #close: () => void;

  constructor(archive: FileSlice, close: () => void) {
    this.name = archive.file;
    this.#close = close;
    let indexBytes = 0;
    for (const member of readTar(archive)) {
      indexBytes += memoryOf(member.header);
      if (indexBytes > MAX_INDEX_BYTES)
        throw new PhylloError('ARCHIVE_INVALID', `${archive.file} has more members than an image can have`);
      const name = normalise([member.header.name]);
      if (name !== undefined) this.#members.set(name, member);
    }
  }

  find(path: string): ImageFile | undefined {
    let name = normalise([path]);
    for (let links = 0; links <= MAX_LINKS; links += 1) {
      const member = name === undefined ? undefined : this.#members.get(name);
      if (member === undefined) {
        if (links > 0) throw this.#invalid(path, 'its link leads to nothing in the archive');
        return undefined;
      }
      const { type, linkName } = member.header;
      if (/^[\0\x30\x37]$/.test(type)) return member;
      if (type !== '1' && type !== '2') throw this.#invalid(path, 'it is not a file');
      name = normalise(type === '1' ? [linkName] : [name as string, '..', linkName]);
    }
    throw this.#invalid(path, 'its links go in a circle');
  }

  [Symbol.dispose](): void {
    this.#close();
  }

  #invalid(path: string, what: string): PhylloError {
    return new PhylloError('ARCHIVE_INVALID', `cannot read ${path} in ${this.name}: ${what}`);
  }
}

/** Bytes, roughly. */
function memoryOf({ name, linkName, pax }: ForeignHeader): number {
  const records = [...pax].reduce((sum, [keyword, value]) => sum + keyword.length + value.length + 100, 0);
  return MEMBER_OVERHEAD + name.length + linkName.length + records;
}

/** The path within the archive without `.` and `..`; undefined when it leads out. */
function normalise(parts: readonly string[]): string | undefined {
  const components: string[] = [];
  for (const component of parts.join('/').split('/')) {
    if (component === '' || component === '.') continue;
    if (component !== '..') components.push(component);
    else if (components.pop() === undefined) return undefined;
  }
  return components.join('/');
}

class DirectoryFiles implements ImageFiles {
  readonly name: string;
  readonly #open = new Map<string, FileSlice>();

  constructor(directory: string) {
    this.name = directory;
  }

  find(path: string): ImageFile | undefined {
    const file = join(this.name, path);
    try {
      const content = this.#open.get(file) ?? openRegular(file);
      this.#open.set(file, content);
      return { content, header: undefined };
    } catch (error) {
      const reason = error instanceof PhylloError ? systemErrorCode(error.cause) : undefined;
      if (reason === 'ENOENT' || reason === 'ENOTDIR') return undefined;
      throw error;
    }
  }

  [Symbol.dispose](): void {
    for (const { fd } of this.#open.values()) closeSync(fd);
    this.#open.clear();
  }
}

/** Never waits, whatever the file turns out to be. @throws PhylloError FILE_UNREADABLE */
function openRegular(file: string): FileSlice {
  try {
    const fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
    const status = fstatSync(fd);
    if (status.isFile()) return { file, fd, offset: 0, size: status.size };
    closeSync(fd);
    throw new Error('it is not a file');
  } catch (cause) {
    throw unreadable(file, cause);
  }
}

function unreadable(file: string, cause: unknown): PhylloError {
  return new PhylloError('FILE_UNREADABLE', `cannot read ${file}: ${reasonOf(cause)}`, { cause });
}
