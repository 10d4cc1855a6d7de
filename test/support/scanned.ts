import { Buffer } from 'node:buffer';
import type { ScannedPath } from '../../src/layer/layer-source.ts';
import { scanPath } from '../../src/layer/scan-path.ts';
import type { TarOwnership } from '../../src/layer/tar-member.ts';

/** Lists store paths whose files are below `root`. */
export async function scanPaths(
  paths: readonly string[],
  { root, ownership }: { readonly root: string; readonly ownership: TarOwnership },
): Promise<ScannedPath[]> {
  return await Promise.all(
    paths.map(async (storePath) => {
      const request = {
        storePath: latin1(storePath),
        source: { kind: 'directory', location: `${root}${storePath}` },
        ownership,
      } as const;
      return { ...request, ...(await scanPath(request)) };
    }),
  );
}

export function latin1(text: string): string {
  return Buffer.from(text).toString('latin1');
}
