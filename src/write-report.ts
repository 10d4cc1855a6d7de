/** A report as a page in a file, or on a stream. */
import { readFile } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import { type PageAssets, renderReport } from './report/render-report.ts';
import type { ReportData } from './report/report-data.ts';
import { writeToFile, writeToStream } from './transport/write-bytes.ts';

export interface WriteReportOptions {
  /** A file appears whole or not at all; a stream is left open. */
  readonly to: string | Writable;
  readonly signal?: AbortSignal;
}

/** @throws PhylloError DESTINATION_UNWRITABLE, DISK_FULL, PIPE_CLOSED; the signal's reason */
export async function writeReport(data: ReportData, { to, ...options }: WriteReportOptions): Promise<void> {
  const page = Buffer.from(renderReport(data, await readPageAssets()));
  if (typeof to === 'string') await writeToFile(to, once(page), options);
  else await writeToStream(to, once(page), options);
}

/** The same place seen from `src/` and from `dist/`. */
async function readPageAssets(): Promise<PageAssets> {
  const read = async (name: string): Promise<string> =>
    await readFile(new URL(`../dist/report-page/${name}`, import.meta.url), 'utf8');
  return { script: await read('page.js'), style: await read('page.css') };
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes;
}
