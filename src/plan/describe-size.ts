/** Bytes in words. Pure, and of no other file: pages show them, too. */

const UNITS = ['KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;

/** `1.5 MiB`; whole below 1 KiB. At most 10 characters up to 2^53. */
export function describeSize(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  // 1023.96 KiB would be rounded to 1024.0 KiB.
  const isBelow = (power: number): boolean => bytes / 1024 ** power < 1023.95;
  const power = [1, 2, 3, 4].find(isBelow) ?? 5;
  return `${(bytes / 1024 ** power).toFixed(1)} ${UNITS[power - 1]}`;
}
