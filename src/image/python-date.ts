/** Dates as CPython's `datetime` reads and prints them. @see CPython, Lib/datetime.py, fromisoformat, isoformat */

export interface PythonDate {
  /** As `isoformat` prints it. */
  readonly text: string;
  /** Whole seconds since 1970, rounded towards zero. Without an offset the time is taken as UTC. */
  readonly seconds: number;
}

const DATE =
  /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2})(?::(\d{2})(?:[.,](\d{1,}))?)?(Z|[+-]\d{2}(?::?\d{2}(?::?\d{2})?)?)?)?$/;

/** @throws RangeError when the text is no date */
export function parsePythonDate(text: string): PythonDate {
  const [, day = '', minutes = '00:00', seconds = '00', fraction = '', offset = ''] = DATE.exec(text) ?? [];
  const moment = Date.parse(`${day}T${minutes}:${seconds}Z`);
  if (day === '' || Number.isNaN(moment)) throw new RangeError(`not a date: ${JSON.stringify(text)}`);
  const micros = fraction.slice(0, 6).padEnd(6, '0');
  const printed = `${day}T${minutes}:${seconds}${Number(micros) === 0 ? '' : `.${micros}`}`;
  return {
    text: printed + (offset === '' ? '' : printOffset(offset)),
    seconds: Math.trunc(moment / 1000 + Number(micros) / 1_000_000 - offsetSeconds(offset)),
  };
}

function offsetSeconds(offset: string): number {
  const [hours = 0, minutes = 0, seconds = 0] = (offset.match(/\d{2}/g) ?? []).map(Number);
  return (offset.startsWith('-') ? -1 : 1) * (hours * 3600 + minutes * 60 + seconds);
}

function printOffset(offset: string): string {
  const [hours = '00', minutes = '00', seconds = '00'] = offset.match(/\d{2}/g) ?? [];
  const sign = offset.startsWith('-') && offsetSeconds(offset) !== 0 ? '-' : '+';
  return `${sign}${hours}:${minutes}${seconds === '00' ? '' : `:${seconds}`}`;
}
