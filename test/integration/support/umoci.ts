/** Umoci: merges an image's layers into a root file system. */
import { join } from 'node:path';
import { runChecked } from './process.ts';
import { skopeoCopy } from './skopeo.ts';

/** Unpacks an image, named as containers-transports(5) does, below a directory that exists; the root file system's path. */
export async function unpackWithUmoci(source: string, directory: string): Promise<string> {
  const layout = join(directory, 'layout');
  const bundle = join(directory, 'bundle');
  await skopeoCopy(source, `oci:${layout}:image`);
  await runChecked('umoci', ['unpack', '--image', `${layout}:image`, bundle]);
  return join(bundle, 'rootfs');
}
