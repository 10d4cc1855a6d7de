/** The number of worker threads that a flag asks for. */
import { availableParallelism } from 'node:os';
import { Option } from 'commander';
import { usageError } from './usage-error.ts';

export function jobsOption(): Option {
  return new Option('--jobs <n>', 'worker threads').default(
    String(availableParallelism()),
    'one for each processor',
  );
}

/** @throws UsageError */
export function readJobs(text: string): number {
  const jobs = Number(text);
  if (Number.isInteger(jobs) && jobs >= 1 && jobs <= 1024) return jobs;
  throw usageError(`--jobs must be a whole number from 1 to 1024, not ${JSON.stringify(text)}`);
}
