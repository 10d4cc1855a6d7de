import { Buffer } from 'node:buffer';
import { FileSink } from '../../src/layer/chunk-sink.ts';
import type { LayerDigest, LayerSource, ScannedPath } from '../../src/layer/layer-source.ts';
import type { PermissionRule } from '../../src/layer/permissions.ts';
import { scanPath } from '../../src/layer/scan-path.ts';
import { writeLayer } from '../../src/layer/write-layer.ts';
import type { TarOwnership } from '../../src/layer/tar-member.ts';

/** Lists store paths whose files are below `root`. */
export async function scanPaths(
  paths: readonly string[],
  {
    root,
    ownership,
    permissions = [],
  }: {
    readonly root: string;
    readonly ownership: TarOwnership;
    readonly permissions?: readonly PermissionRule[];
  },
): Promise<ScannedPath[]> {
  return await Promise.all(
    paths.map(async (storePath) => {
      const request = {
        storePath: latin1(storePath),
        source: { kind: 'directory', location: `${root}${storePath}` },
        ownership,
        permissions,
      } as const;
      return { ...request, ...(await scanPath(request)) };
    }),
  );
}

/** What a worker finds out about a layer. */
export async function digestLayer(layer: LayerSource): Promise<LayerDigest> {
  const sink = new FileSink([]);
  const size = await writeLayer(layer, sink);
  return { diffID: sink.digest(), size };
}

export function latin1(text: string): string {
  return Buffer.from(text).toString('latin1');
}
