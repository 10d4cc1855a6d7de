/**
 * A bill in SPDX 2.3, as JSON.
 *
 * @see SPDX specification 2.3: chapters 6 (document), 7 (packages), 11 (relationships); annex F (external references)
 */
import { type Digest, digestHex } from '../digest.ts';
import { familiarName } from '../image/image-reference.ts';
import { baseName, storePathName, type StorePath } from '../store/store-path.ts';
import { type Bill, type BillPart, directParts, type ImageSubject } from './bill.ts';
import { contentUuid } from './content-uuid.ts';
import { parsePackageName } from './package-name.ts';
import { imageUrl, storePathUrl } from './package-url.ts';

const DOCUMENT = 'SPDXRef-DOCUMENT';
const IMAGE = 'SPDXRef-image';
const BASE = 'SPDXRef-base-image';

interface Package {
  readonly SPDXID: string;
  readonly name: string;
  readonly versionInfo?: string;
  readonly packageFileName?: string;
  readonly primaryPackagePurpose?: 'CONTAINER';
  /** Nothing says where it can be fetched. */
  readonly downloadLocation: 'NOASSERTION';
  readonly filesAnalyzed: false;
  readonly checksums?: readonly { readonly algorithm: 'SHA256'; readonly checksumValue: string }[];
  readonly externalRefs?: readonly {
    readonly referenceCategory: 'PACKAGE-MANAGER';
    readonly referenceType: 'purl';
    readonly referenceLocator: string;
  }[];
  readonly comment?: string;
}

interface Relationship {
  readonly spdxElementId: string;
  readonly relationshipType: 'DESCRIBES' | 'CONTAINS' | 'DEPENDS_ON' | 'DESCENDANT_OF';
  readonly relatedSpdxElement: string;
}

export function encodeSpdx(bill: Bill): string {
  const name = documentName(bill);
  const document = {
    spdxVersion: 'SPDX-2.3',
    dataLicense: 'CC0-1.0',
    SPDXID: DOCUMENT,
    name,
    creationInfo: { created: bill.created, creators: ['Tool: phyllo'] },
    packages: [...subjectPackages(bill), ...bill.parts.map(pathPackage)],
    relationships: [...subjectRelationships(bill), ...bill.parts.flatMap(pathRelationships)],
  };
  const place = `${identifier(name)}-${contentUuid(JSON.stringify(document))}`;
  // The place that the specification names for whoever has no site of their own.
  const documentNamespace = `https://spdx.org/spdxdocs/${place}`;
  return `${JSON.stringify({ ...document, documentNamespace }, undefined, 2)}\n`;
}

function documentName({ subject }: Bill): string {
  if (subject.kind === 'paths') return subject.roots.map(storePathName).join(' ');
  return subject.reference === undefined ? subject.imageID : familiarName(subject.reference);
}

function subjectPackages({ subject }: Bill): readonly Package[] {
  if (subject.kind === 'paths') return [];
  const { base } = subject;
  if (base === undefined) return [imagePackage(subject)];
  const { name = 'base image', digest } = base;
  return [
    imagePackage(subject),
    spdxPackage(BASE, { name, hash: digest, primaryPackagePurpose: 'CONTAINER' }),
  ];
}

function imagePackage(subject: ImageSubject): Package {
  const { reference, digest, imageID } = subject;
  return spdxPackage(IMAGE, {
    name: reference?.name ?? 'image',
    ...(reference === undefined ? {} : { versionInfo: reference.tag }),
    primaryPackagePurpose: 'CONTAINER',
    hash: digest,
    purl: imageUrl(subject),
    comment: `image ID ${imageID}`,
  });
}

function pathPackage({ path, layer, info }: BillPart): Package {
  const { name, version, output } = parsePackageName(storePathName(path));
  const comments = [
    ...(output === undefined ? [] : [`output ${output}`]),
    ...(info === undefined ? [] : [`checksum of the NAR, ${info.narSize} bytes`]),
    ...(layer === undefined ? [] : [`in the layer with the diff ID ${layer}`]),
  ];
  return spdxPackage(identify(path), {
    name,
    ...(version === undefined ? {} : { versionInfo: version }),
    packageFileName: path,
    hash: info?.narHash,
    purl: storePathUrl(path),
    ...(comments.length === 0 ? {} : { comment: comments.join('; ') }),
  });
}

interface PackageFacts extends Pick<
  Package,
  'name' | 'versionInfo' | 'packageFileName' | 'primaryPackagePurpose' | 'comment'
> {
  readonly hash: Digest | undefined;
  readonly purl?: string | undefined;
}

function spdxPackage(SPDXID: string, { hash, purl, comment, ...facts }: PackageFacts): Package {
  return {
    SPDXID,
    ...facts,
    downloadLocation: 'NOASSERTION',
    filesAnalyzed: false,
    ...(hash === undefined ? {} : { checksums: [{ algorithm: 'SHA256', checksumValue: digestHex(hash) }] }),
    ...(purl === undefined
      ? {}
      : {
          externalRefs: [
            { referenceCategory: 'PACKAGE-MANAGER', referenceType: 'purl', referenceLocator: purl },
          ],
        }),
    ...(comment === undefined ? {} : { comment }),
  };
}

function subjectRelationships(bill: Bill): readonly Relationship[] {
  const { subject, parts } = bill;
  const direct = directParts(bill).map(identify);
  if (subject.kind === 'paths') return relate([DOCUMENT, 'DESCRIBES'], direct);
  return [
    ...relate([DOCUMENT, 'DESCRIBES'], [IMAGE]),
    ...relate([IMAGE, 'DESCENDANT_OF'], subject.base === undefined ? [] : [BASE]),
    ...relate(
      [IMAGE, 'CONTAINS'],
      parts.map(({ path }) => identify(path)),
    ),
    ...relate([IMAGE, 'DEPENDS_ON'], direct),
  ];
}

function pathRelationships({ path, references = [] }: BillPart): readonly Relationship[] {
  return relate([identify(path), 'DEPENDS_ON'], references.map(identify));
}

function relate(
  [spdxElementId, relationshipType]: readonly [string, Relationship['relationshipType']],
  others: readonly string[],
): readonly Relationship[] {
  return others.map((relatedSpdxElement) => ({ spdxElementId, relationshipType, relatedSpdxElement }));
}

/** The hash keeps it unique whatever becomes of the name. */
function identify(path: StorePath): string {
  return `SPDXRef-${identifier(baseName(path))}`;
}

/** Letters, digits, dots and dashes alone are allowed. */
function identifier(text: string): string {
  return text.replaceAll(/[^0-9A-Za-z.-]/g, '-');
}
