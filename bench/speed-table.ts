/** The results of bench/speed.ts as a table, and what of it missed its goal. */
import type { Case, Goal } from './speed-cases.ts';
import { markdownTable, type Measurement, mebibytes, median } from './support.ts';

const TITLES = ['', 'median', 'range', 'processor', 'peak memory', 'compared (wanted)'];
const MIB = 2 ** 20;

type Results = ReadonlyMap<string, readonly Measurement[]>;

export function speedTable(cases: readonly Case[], results: Results): readonly string[] {
  const rows = cases.map((one) => rowOf(one, results));
  return [
    ...markdownTable([TITLES, ...rows].map((cells) => cells.map((cell) => cell.replaceAll('|', '\\|')))),
    '',
    'Times are of whole processes, from start to end; “processor” is user and system time together.',
  ];
}

function rowOf({ name, isLong = false, goals = [], maxMiB }: Case, results: Results): readonly string[] {
  const measurements = results.get(name) ?? [];
  const times = measurements.map(({ seconds }) => seconds);
  const processor = measurements.map(({ userSeconds, systemSeconds }) => userSeconds + systemSeconds);
  return [
    `${name}${isLong ? ' *' : ''}`,
    `${median(times).toFixed(2)} s`,
    `${Math.min(...times).toFixed(2)} to ${Math.max(...times).toFixed(2)} s`,
    `${median(processor).toFixed(2)} s`,
    memoryCell(Math.max(...measurements.map(({ maxRssBytes }) => maxRssBytes)), maxMiB),
    goals
      .filter(({ of }) => results.has(of))
      .map((goal) => goalText(goal, { seconds: median(times), other: secondsOf(goal.of, results) }))
      .join('; '),
  ];
}

function secondsOf(name: string, results: Results): number {
  return median(results.get(name)?.map(({ seconds }) => seconds) ?? []);
}

function memoryCell(bytes: number, maxMiB: number | undefined): string {
  const text = `${mebibytes(bytes)} MiB`;
  return maxMiB === undefined ? text : judged(`${text} (at most ${maxMiB})`, bytes <= maxMiB * MIB);
}

function goalText(
  goal: Goal,
  { seconds, other }: { readonly seconds: number; readonly other: number },
): string {
  if (goal.kind === 'faster') {
    const factor = other / seconds;
    return judged(
      `${factor.toFixed(2)} times as fast as ${goal.of} (at least ${goal.times})`,
      factor >= goal.times,
    );
  }
  const { of, times, plusSeconds = 0 } = goal;
  const limit = other * times + plusSeconds;
  const allowed = `${times} × ${plusSeconds === 0 ? '' : `+ ${plusSeconds} s = ${limit.toFixed(2)} s`}`;
  return judged(`${(seconds / other).toFixed(2)} × ${of} (at most ${allowed.trim()})`, seconds <= limit);
}

function judged(text: string, isReached: boolean): string {
  return isReached ? text : `**${text}: missed**`;
}
