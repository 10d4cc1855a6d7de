import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { Digest } from '../../src/digest.ts';
import { type Bill, billParts, type ImageSubject } from '../../src/sbom/bill.ts';
import { encodeBill, type SbomFormat } from '../../src/sbom/encode-bill.ts';
import type { PathInfo } from '../../src/store/store.ts';
import { infosOf, storePath, written } from '../plan/graphs.ts';
import { assertValidSbom } from '../support/sbom-schemas.ts';

const FORMATS: readonly SbomFormat[] = ['cyclonedx', 'spdx'];
const digest = (digit: string): Digest => `sha256:${digit.repeat(64)}` as Digest;

const IMAGE: ImageSubject = {
  kind: 'image',
  reference: { name: '127.0.0.1:5000/team/hello', tag: '1.0' },
  digest: digest('a'),
  imageID: digest('b'),
  platform: { architecture: 'amd64', os: 'linux', variant: undefined },
  base: { name: 'docker.io/library/debian:12-slim', digest: digest('c') },
};

const INFOS = infosOf(
  written({
    'hello-2.12': [100, 'hello-2.12', 'glibc-2.39-52', 'libstdc++_x?=1-13.2-lib'],
    'glibc-2.39-52': [2000, 'libidn2-2.3'],
    'libstdc++_x?=1-13.2-lib': [300, 'glibc-2.39-52'],
    'libidn2-2.3': [40],
  }),
);

function billOf(infos: readonly PathInfo[], subject: Bill['subject'] = IMAGE): Bill {
  const parts = billParts(infos.map((info) => ({ path: info.path, layer: digest('d'), info })));
  return { subject, created: '1970-01-01T00:00:01Z', parts };
}

async function encoded(bill: Bill, format: SbomFormat): Promise<string> {
  return (await encodeBill(bill, format)).bytes.toString();
}

interface CycloneDx {
  readonly serialNumber: string;
  readonly metadata: {
    readonly timestamp: string;
    readonly component?: { readonly 'bom-ref': string; readonly purl?: string; readonly name: string };
  };
  readonly components: readonly { readonly 'bom-ref': string; readonly hashes?: readonly unknown[] }[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn?: readonly string[] }[];
}

interface Spdx {
  readonly documentNamespace: string;
  readonly packages: readonly { readonly SPDXID: string; readonly packageFileName?: string }[];
  readonly relationships: readonly Record<string, string>[];
}

for (const format of FORMATS) {
  test(`${format}: images and paths are valid by the schema, with and without what a store knows`, async () => {
    const unknown = billParts(INFOS.map(({ path }) => ({ path })));
    const nameless = { ...IMAGE, reference: undefined, digest: undefined, base: undefined };
    const base = { name: undefined, digest: digest('c') };
    const bills: readonly Bill[] = [
      billOf(INFOS),
      billOf([], nameless),
      { ...billOf([]), subject: { ...IMAGE, base }, parts: unknown },
      billOf(INFOS, { kind: 'paths', roots: [storePath('hello-2.12')] }),
      billOf(INFOS, { kind: 'paths', roots: [storePath('hello-2.12'), storePath('glibc-2.39-52')] }),
    ];
    for (const bill of bills) await assertValidSbom(await encoded(bill, format), format);
  });

  test(`${format}: the order of paths makes no difference, nor does a path that is there twice`, async () => {
    const expected = await encoded(billOf(INFOS), format);
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray([...INFOS], { minLength: INFOS.length }), async (infos) => {
        assert.equal(await encoded(billOf([...infos, ...infos.slice(0, 2)]), format), expected);
      }),
      { numRuns: 30 },
    );
  });

  test(`${format}: a change of anything changes the document's own identifier`, async () => {
    const one = await encoded(billOf(INFOS), format);
    const other = await encoded(billOf(INFOS.slice(1)), format);
    const identifier =
      /(?:urn:uuid:|hello-1\.0-)([0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12})"/;
    const [, first] = identifier.exec(one) ?? [];
    const [, second] = identifier.exec(other) ?? [];
    assert.ok(first !== undefined && second !== undefined);
    assert.notEqual(first, second);
  });
}

test('cyclonedx: components, what they depend on, and what is in the middle of it', async () => {
  const document = (await assertValidSbom(
    await encoded(billOf(INFOS), 'cyclonedx'),
    'cyclonedx',
  )) as CycloneDx;
  const image = document.metadata.component;
  assert.equal(
    image?.purl,
    `pkg:oci/hello@sha256:${'a'.repeat(64)}?arch=amd64&repository_url=127.0.0.1%3A5000%2Fteam%2Fhello&tag=1.0`,
  );
  const graph = new Map(document.dependencies.map(({ ref, dependsOn = [] }) => [ref, dependsOn]));
  assert.deepEqual(graph.get(image['bom-ref']), [storePath('hello-2.12'), `base:${digest('c')}`]);
  assert.deepEqual(graph.get(storePath('libidn2-2.3')), []);
  assert.deepEqual(
    graph.get(storePath('hello-2.12')),
    [storePath('glibc-2.39-52'), storePath('libstdc++_x?=1-13.2-lib')].sort(),
  );
  assert.equal(graph.size, 2 + INFOS.length);
  const component = document.components.find(
    (one) => one['bom-ref'] === storePath('libstdc++_x?=1-13.2-lib'),
  );
  assert.deepEqual(component, {
    type: 'library',
    name: 'libstdc++_x?=1',
    version: '13.2',
    'bom-ref': storePath('libstdc++_x?=1-13.2-lib'),
    hashes: [{ alg: 'SHA-256', content: '0'.repeat(64) }],
    purl: `pkg:nix/libstdc%2B%2B_x%3F%3D1@13.2?output=lib&outputhash=${storePath('b').slice(11, 43)}`,
    properties: [
      { name: 'nix:out_path', value: storePath('libstdc++_x?=1-13.2-lib') },
      { name: 'nix:output', value: 'lib' },
      { name: 'nix:nar_size', value: '300' },
      { name: 'oci:layer_diff_id', value: digest('d') },
    ],
  });
});

test('cyclonedx: unknown references are not said to be none', async () => {
  const [first, ...rest] = INFOS;
  assert.ok(first !== undefined);
  const bill = billOf(rest);
  const parts = billParts([{ path: first.path }, ...rest.map((info) => ({ path: info.path, info }))]);
  const { dependencies } = JSON.parse(await encoded({ ...bill, parts }, 'cyclonedx')) as CycloneDx;
  assert.ok(!dependencies.some(({ ref }) => ref === first.path));
  assert.equal(dependencies.length, 2 + rest.length);
});

test('cyclonedx: one store path is what the bill is about, of several none is', async () => {
  const root = storePath('hello-2.12');
  const one = JSON.parse(
    await encoded(billOf(INFOS, { kind: 'paths', roots: [root] }), 'cyclonedx'),
  ) as CycloneDx;
  assert.equal(one.metadata.component?.['bom-ref'], root);
  assert.equal(one.components.length, INFOS.length - 1);
  const roots = [root, storePath('glibc-2.39-52')];
  const several = JSON.parse(
    await encoded(billOf(INFOS, { kind: 'paths', roots }), 'cyclonedx'),
  ) as CycloneDx;
  assert.equal(several.metadata.component, undefined);
  assert.equal(several.components.length, INFOS.length);
});

test('spdx: identifiers are unique and of the allowed characters, and every relationship leads to one', async () => {
  const document = (await assertValidSbom(await encoded(billOf(INFOS), 'spdx'), 'spdx')) as Spdx;
  const identifiers = new Set(document.packages.map(({ SPDXID }) => SPDXID));
  assert.equal(identifiers.size, 2 + INFOS.length);
  for (const identifier of identifiers) assert.match(identifier, /^SPDXRef-[0-9A-Za-z.-]+$/);
  for (const { spdxElementId, relatedSpdxElement } of document.relationships) {
    assert.ok(spdxElementId === 'SPDXRef-DOCUMENT' || identifiers.has(spdxElementId as string));
    assert.ok(identifiers.has(relatedSpdxElement as string));
  }
  const count = (type: string): number =>
    document.relationships.filter(({ relationshipType }) => relationshipType === type).length;
  // Self references are none.
  assert.deepEqual(
    [count('DESCRIBES'), count('CONTAINS'), count('DEPENDS_ON'), count('DESCENDANT_OF')],
    [1, 4, 5, 1],
  );
});
