/** The inputs of nixpkgs' streamer that the vectors of archives describe, on disk. */
import { chmodSync, closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FileSink } from '../../src/layer/chunk-sink.ts';
import { writeLayer } from '../../src/layer/write-layer.ts';
import { type WholeArchiveCase, wholeArchiveCases } from './golden.ts';
import { customisationSource } from './vector-customisation.ts';
import { makeStorePaths } from './vector-tree.ts';

export function caseNamed(name: string): WholeArchiveCase {
  return wholeArchiveCases().find((vector) => vector.name === name) as WholeArchiveCase;
}

/** Store paths and the customisation layer, at `root` + their logical paths. What belongs to no path is in `scratch`. */
export async function makeVectorStore(
  { storePaths, customisation }: WholeArchiveCase,
  { root, scratch = root }: { readonly root: string; readonly scratch?: string },
): Promise<void> {
  makeStorePaths(root, storePaths);
  const { path, checksum, checksumFile = checksum, archiveEntry } = customisation;
  const place = join(root, path);
  mkdirSync(place, { recursive: true });
  writeFileSync(join(place, 'checksum'), checksumFile);
  const file = join(place, 'layer.tar');
  const fd = openSync(file, 'w');
  try {
    await writeLayer(customisationSource(customisation, scratch), new FileSink([{ file, fd, offset: 0 }]));
  } finally {
    closeSync(fd);
  }
  chmodSync(file, Number.parseInt(archiveEntry.mode, 8));
}
