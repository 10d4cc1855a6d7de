/**
 * A bill in CycloneDX 1.6, as JSON.
 *
 * @see ECMA-424; https://cyclonedx.org/docs/1.6/json/
 */
import { ComponentType, HashAlgorithm } from '@cyclonedx/cyclonedx-library/Enums';
import {
  Bom,
  Component,
  type Hash,
  HashDictionary,
  Property,
  PropertyRepository,
} from '@cyclonedx/cyclonedx-library/Models';
import { JSON as CycloneDxJson } from '@cyclonedx/cyclonedx-library/Serialize';
import { Spec1dot6 } from '@cyclonedx/cyclonedx-library/Spec';
import { type Digest, digestHex } from '../digest.ts';
import type { BaseName } from '../image/base-annotations.ts';
import { storePathName, type StorePath } from '../store/store-path.ts';
import { type Bill, type BillPart, directParts, type ImageSubject } from './bill.ts';
import { contentUuid } from './content-uuid.ts';
import { parsePackageName } from './package-name.ts';
import { imageUrl, storePathUrl } from './package-url.ts';

/** Everything in the bill's order; the library's own sorting goes by the locale of whoever runs it. */
export function encodeCycloneDx(bill: Bill): string {
  const bom = describe(bill);
  const unknown = new Set<string>(
    bill.parts.flatMap(({ path, references }) => (references === undefined ? [path] : [])),
  );
  const document = new CycloneDxJson.Normalize.Factory(Spec1dot6).makeForBom().normalize(bom, {});
  // A component without an entry has dependencies that nobody knows; an entry without dependencies says that there are none.
  const dependencies = document.dependencies?.filter(({ ref }) => !unknown.has(ref));
  const complete = { ...document, ...(dependencies === undefined ? {} : { dependencies }) };
  const serialNumber = `urn:uuid:${contentUuid(JSON.stringify(complete))}`;
  return `${JSON.stringify({ ...complete, serialNumber }, undefined, 2)}\n`;
}

function describe(bill: Bill): Bom {
  const { subject, parts } = bill;
  const bom = new Bom();
  bom.metadata.timestamp = new Date(bill.created);
  bom.metadata.tools.components.add(new Component(ComponentType.Application, 'phyllo'));
  const components = new Map(parts.map((part) => [part.path, pathComponent(part)]));
  for (const { path, references } of parts) {
    depend(components.get(path), pick(components, references ?? []));
  }
  const main = mainComponent(bill, components);
  if (main !== undefined) bom.metadata.component = main;
  if (subject.kind === 'image' && subject.base !== undefined) {
    const base = baseComponent(subject.base);
    bom.components.add(base);
    depend(main, [base]);
  }
  for (const component of components.values()) if (component !== main) bom.components.add(component);
  return bom;
}

/** The image, or the one path that was asked for; several have nothing above them. */
function mainComponent(bill: Bill, components: ReadonlyMap<StorePath, Component>): Component | undefined {
  const { subject } = bill;
  const direct = directParts(bill);
  if (subject.kind === 'paths')
    return direct.length === 1 ? components.get(direct[0] as StorePath) : undefined;
  const image = imageComponent(subject);
  depend(image, pick(components, direct));
  return image;
}

function pick(
  components: ReadonlyMap<StorePath, Component>,
  paths: readonly StorePath[],
): readonly Component[] {
  return paths.flatMap((path) => components.get(path) ?? []);
}

function depend(component: Component | undefined, others: readonly Component[]): void {
  for (const { bomRef } of others) component?.dependencies.add(bomRef);
}

function imageComponent(subject: ImageSubject): Component {
  const { reference, digest, imageID } = subject;
  const purl = imageUrl(subject);
  return new Component(ComponentType.Container, reference?.name ?? 'image', {
    bomRef: purl ?? imageID,
    ...(reference === undefined ? {} : { version: reference.tag }),
    ...(digest === undefined ? {} : { hashes: sha256(digest) }),
    ...(purl === undefined ? {} : { purl }),
    properties: properties({ 'oci:image_id': imageID }),
  });
}

function baseComponent({ name, digest }: BaseName): Component {
  return new Component(ComponentType.Container, name ?? 'base image', {
    bomRef: `base:${digest}`,
    hashes: sha256(digest),
  });
}

function pathComponent({ path, layer, info }: BillPart): Component {
  const { name, version, output } = parsePackageName(storePathName(path));
  return new Component(ComponentType.Library, name, {
    bomRef: path,
    ...(version === undefined ? {} : { version }),
    ...(info === undefined ? {} : { hashes: sha256(info.narHash) }),
    purl: storePathUrl(path),
    properties: properties({
      'nix:out_path': path,
      'nix:output': output,
      'nix:nar_size': info?.narSize.toString(),
      'oci:layer_diff_id': layer,
    }),
  });
}

function sha256(digest: Digest): HashDictionary {
  const hash: Hash = [HashAlgorithm['SHA-256'], digestHex(digest)];
  return new HashDictionary([hash]);
}

function properties(values: Readonly<Record<string, string | undefined>>): PropertyRepository {
  return new PropertyRepository(
    Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : new Property(name, value))),
  );
}
