/** What a description takes from the machine and the environment where it says nothing itself. */
import { usageError } from './usage-error.ts';

/**
 * RFC 3339. @see https://reproducible-builds.org/specs/source-date-epoch/
 * @throws UsageError
 */
export function sourceDateEpoch(): string | undefined {
  const epoch = process.env['SOURCE_DATE_EPOCH'];
  if (epoch === undefined || epoch === '') return undefined;
  const moment = new Date(/^\d+$/.test(epoch) ? Number(epoch) * 1000 : NaN);
  if (Number.isNaN(moment.getTime()))
    throw usageError(`SOURCE_DATE_EPOCH is not a number of seconds: ${JSON.stringify(epoch)}`);
  return `${moment.toISOString().slice(0, -'.000Z'.length)}Z`;
}

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386', ppc64: 'ppc64le' };

/** With Go's name. */
export function hostArchitecture(): string {
  return ARCHITECTURES[process.arch] ?? process.arch;
}
