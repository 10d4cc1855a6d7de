/** Bills of materials in the formats that scanners read. Libraries are loaded when the first one is written. */
import { type Blob } from '../image/blob.ts';
import { createHash } from 'node:crypto';
import { finishDigest } from '../digest.ts';
import type { Bill } from './bill.ts';

export type SbomFormat = 'cyclonedx' | 'spdx';

/** @see IANA media types */
export const SBOM_MEDIA_TYPES: Readonly<Record<SbomFormat, string>> = {
  cyclonedx: 'application/vnd.cyclonedx+json',
  spdx: 'application/spdx+json',
};

/** Equal bills have equal bytes, whatever the machine. */
export async function encodeBill(bill: Bill, format: SbomFormat): Promise<Blob> {
  const bytes = Buffer.from(await encode(bill, format));
  return { digest: finishDigest(createHash('sha256').update(bytes)), bytes };
}

async function encode(bill: Bill, format: SbomFormat): Promise<string> {
  if (format === 'spdx') return (await import('./spdx.ts')).encodeSpdx(bill);
  return (await import('./cyclonedx.ts')).encodeCycloneDx(bill);
}
