/** Bills of materials against the schemas that their formats publish. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Spec, Validation } from '@cyclonedx/cyclonedx-library';
import { Ajv } from 'ajv';
import type { SbomFormat } from '../../src/sbom/encode-bill.ts';

const cycloneDx = new Validation.JsonStrictValidator(Spec.Version.v1dot6);
const spdx = new Ajv({ strict: false }).compile(
  JSON.parse(readFileSync(new URL('../fixtures/spdx-2.3.schema.json', import.meta.url), 'utf8')) as object,
);

/** Fails where the text is not valid; the document. */
export async function assertValidSbom(text: string, format: SbomFormat): Promise<unknown> {
  const document: unknown = JSON.parse(text);
  if (format === 'cyclonedx') assert.equal(await cycloneDx.validate(text), null);
  else assert.ok(spdx(document), JSON.stringify(spdx.errors));
  return document;
}
