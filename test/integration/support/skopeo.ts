/** Skopeo as an independent reader of images: it hashes every blob that it copies. */
import { createHash } from 'node:crypto';
import { createReadStream, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { runChecked } from './process.ts';

interface Manifest {
  readonly config: { readonly digest: string };
  readonly layers: readonly { readonly digest: string; readonly mediaType: string }[];
}

export interface CopiedImage {
  readonly manifest: Manifest;
  readonly config: {
    readonly rootfs: { readonly diff_ids: readonly string[] };
    readonly [field: string]: unknown;
  };
  /** The digest of each layer's file, which we hashed ourselves. */
  readonly layerDigests: readonly string[];
}

/** Copies an image from SOURCE to DESTINATION, both as containers-transports(5) names them. */
export async function skopeoCopy(source: string, destination: string): Promise<void> {
  const options = ['--quiet', '--src-tls-verify=false', '--dest-tls-verify=false'];
  await runChecked('skopeo', ['--insecure-policy', 'copy', ...options, source, destination]);
}

/** Copies an image into a new directory (`dir:`) and reads it there. */
export async function readThroughSkopeo(source: string, directory: string): Promise<CopiedImage> {
  await skopeoCopy(source, `dir:${directory}`);
  const manifest = readJson(join(directory, 'manifest.json')) as Manifest;
  const config = readJson(join(directory, hexOf(manifest.config.digest))) as CopiedImage['config'];
  const files = manifest.layers.map((layer) => join(directory, hexOf(layer.digest)));
  return { manifest, config, layerDigests: await Promise.all(files.map(sha256OfFile)) };
}

/** The digest of a file's bytes as images write it: `sha256:…`. */
export async function sha256OfFile(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return `sha256:${hash.digest('hex')}`;
}

function readJson(file: string): unknown {
  return JSON.parse(readFileSync(file, 'utf8'));
}

function hexOf(digest: string): string {
  return digest.slice(digest.indexOf(':') + 1);
}
