/** The customisation layer: the contents joined at `/`. It comes before the plan, since what it mentions is in the image, too. */
import { type ContentConflict, CUSTOMISATION_MTIME_SECONDS, joinContents } from './image/customisation.ts';
import type { LayerSource } from './layer/layer-source.ts';
import { type ListedPaths, latin1 } from './listed-paths.ts';
import type { StorePath } from './store/store-path.ts';
import { listingEntries } from './store/tree-listing.ts';

export interface Customisation {
  readonly source: LayerSource;
  /** One sentence each. */
  readonly warnings: readonly string[];
}

/** @throws PhylloError CONTENT_NOT_DIRECTORY, and what listing a path throws */
export async function customiseImage(
  contents: readonly StorePath[],
  listed: ListedPaths,
): Promise<Customisation> {
  const trees = await Promise.all(
    contents.map(async (path) => ({
      storePath: latin1(path),
      entries: listingEntries((await listed.get(path)).listing),
    })),
  );
  const { members, conflicts } = joinContents(trees);
  return {
    source: { kind: 'customisation', members, mtimeSeconds: CUSTOMISATION_MTIME_SECONDS },
    warnings: conflicts.map(describeConflict),
  };
}

function describeConflict({ path, kept, dropped }: ContentConflict): string {
  return `contents: ${path} is in ${kept} and in ${dropped}; the first one is in the image`;
}
