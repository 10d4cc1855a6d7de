/** A customisation layer that was made before: a tar that goes into the image as it stands. */
import { closeSync, fstatSync, openSync } from 'node:fs';
import { PhylloError, reasonOf } from '../errors.ts';
import type { BaseLayerSource } from '../layer/layer-source.ts';
import { findFileMentions, type TreeMentions } from './tree-mentions.ts';
import { readTar } from '../transport/tar-reader.ts';

export interface FinishedLayer extends TreeMentions, Disposable {
  /** Of no use once the layer is disposed of. */
  readonly source: BaseLayerSource;
}

/**
 * Whoever opens it disposes of it.
 * @throws PhylloError FILE_UNREADABLE, ARCHIVE_INVALID when it is not a plain tar
 */
export async function openFinishedLayer(file: string, storeDir: string): Promise<FinishedLayer> {
  const fd = open(file);
  try {
    const source = { kind: 'base', file, fd, offset: 0, size: fstatSync(fd).size } as const;
    for (const _ of readTar(source)) {
      // Read for its errors alone: damage is found before anything is made.
    }
    const mentions = await findFileMentions(Buffer.from(file).toString('latin1'), storeDir);
    return { ...mentions, source, [Symbol.dispose]: () => closeSync(fd) };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function open(file: string): number {
  try {
    return openSync(file, 'r');
  } catch (cause) {
    throw new PhylloError(
      'FILE_UNREADABLE',
      `cannot read the customisation layer ${file}: ${reasonOf(cause)}`,
      {
        hint: 'phyllo customise makes it',
        cause,
      },
    );
  }
}
