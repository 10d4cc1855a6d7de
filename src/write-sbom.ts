/** Bills of materials, written to a file. */
import { type DescribedBill } from './describe-bill.ts';
import type { Blob } from './image/blob.ts';
import { encodeBill, type SbomFormat } from './sbom/encode-bill.ts';
import { writeToFile } from './transport/write-bytes.ts';

export interface WriteSbomOptions {
  readonly format: SbomFormat;
  readonly file: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The file appears whole or not at all.
 * @throws PhylloError DESTINATION_UNWRITABLE, DISK_FULL; the signal's reason
 */
export async function writeSbom({ bill }: DescribedBill, options: WriteSbomOptions): Promise<Blob> {
  const { format, file, signal } = options;
  const blob = await encodeBill(bill, format);
  await writeToFile(file, chunksOf(blob), signal === undefined ? {} : { signal });
  return blob;
}

async function* chunksOf({ bytes }: Blob): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes;
}
