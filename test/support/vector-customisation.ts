/** The customisation layers of the vectors of archives. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { CUSTOMISATION_MTIME_SECONDS } from '../../src/image/customisation.ts';
import type { CustomisationLayerSource } from '../../src/layer/layer-source.ts';
import { scanDirectoryTree } from '../../src/store/directory-tree.ts';
import type { WholeArchiveCase } from './golden.ts';
import { latin1Of, makeEntries } from './vector-tree.ts';

/** The customisation layer as a source that a worker could take. */
export function customisationSource(
  { entries, checksum }: WholeArchiveCase['customisation'],
  root: string,
): CustomisationLayerSource {
  const place = join(root, 'customisation');
  makeEntries(place, entries, root);
  const owners = new Map(
    entries.map(({ path, uid = 0, gid = 0 }) => [path.map(latin1Of).join('/'), { uid, gid }]),
  );
  assert.match(checksum, /^[0-9a-f]{64}$/);
  const members = [...scanDirectoryTree(place)].map((entry) => {
    const { uid, gid } = owners.get(entry.path) ?? { uid: 0, gid: 0 };
    const isDirectory = entry.kind === 'directory';
    return {
      kind: entry.kind,
      name: `./${entry.path}${isDirectory && entry.path !== '' ? '/' : ''}`,
      mode: entry.mode,
      size: entry.kind === 'file' ? entry.size : 0,
      linkName: entry.kind === 'symlink' ? entry.target : '',
      uid,
      gid,
      location: entry.kind === 'file' ? `${place}/${entry.path}` : '',
    };
  });
  return { kind: 'customisation', members, mtimeSeconds: CUSTOMISATION_MTIME_SECONDS };
}
