/**
 * Package URLs of store paths and images.
 *
 * `nix` is not registered as a type yet. The form that scanners write and read meanwhile is `pkg:nix/NAME@VERSION?output=…&outputhash=…`,
 * and so is ours; the one that is proposed needs the attribute path in nixpkgs, which a store path does not tell.
 *
 * @see purl-spec, "PURL types", oci; purl-spec pull request 877; anchore/syft, syft/pkg/cataloger/nix
 */
import { PackageURL } from 'packageurl-js';
import type { ImageReference } from '../image/image-reference.ts';
import { hashPart, storePathName, type StorePath } from '../store/store-path.ts';
import type { ImageSubject } from './bill.ts';
import { parsePackageName } from './package-name.ts';

export function storePathUrl(path: StorePath): string {
  const { name, version, output } = parsePackageName(storePathName(path));
  const qualifiers = { ...(output === undefined ? {} : { output }), outputhash: hashPart(path) };
  return new PackageURL('nix', undefined, name, version, qualifiers, undefined).toString();
}

/** Undefined for an image without a name or a manifest. */
export function imageUrl({ reference, digest, platform }: ImageSubject): string | undefined {
  if (reference === undefined || digest === undefined) return undefined;
  const { name, tag } = reference;
  const qualifiers = { arch: platform.architecture, ...repositoryOf(reference), tag };
  const base = name.slice(name.lastIndexOf('/') + 1);
  return new PackageURL('oci', undefined, base, digest, qualifiers, undefined).toString();
}

/** A name without a host may be anywhere. */
function repositoryOf({ name }: ImageReference): { readonly repository_url?: string } {
  return /^[^/]*[.:][^/]*\/|^localhost\//.test(name) ? { repository_url: name } : {};
}
